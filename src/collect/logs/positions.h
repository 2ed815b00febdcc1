// How far each file of logs was read, as it is kept across restarts. Pure functions.
//
// {"version":1,"files":[{"path","device","inode","offset","print_bytes","print"}]}
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "collect/logs/file_tail.h"

namespace stoker::collect {

struct FilePosition {
    std::string path;  // As it was called last.
    FileId id;
    std::uint64_t offset = 0;
    Fingerprint fingerprint;
    friend bool operator==(const FilePosition&, const FilePosition&) = default;
};

// Errors: Corruption.
Result<std::vector<FilePosition>> positions_from_json(const std::string& json);
std::string to_json(const std::vector<FilePosition>& positions);

}  // namespace stoker::collect
