// The few file operations that the journal does, as an interface: the real ones, or ones that a test lets fail.
//
// Errors name the path; a full disk is ResourceExhausted, everything else of the system's is Unavailable or NotFound.
// A FileSystem is thread-safe; a File's read_at() may run beside its other calls, those one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stoker::journal {

class File {
public:
    virtual ~File() = default;

    // Appends all of `bytes`. After an error any part of them may be there.
    virtual Result<Unit> write(std::string_view bytes) = 0;
    // Up to `count` bytes from `offset` into `buffer`; fewer only at the file's end.
    virtual Result<std::size_t> read_at(std::uint64_t offset, char* buffer, std::size_t count) const = 0;
    virtual Result<Unit> sync() = 0;
    virtual Result<Unit> truncate(std::uint64_t size) = 0;
    virtual Result<std::uint64_t> size() const = 0;
};

class FileSystem {
public:
    virtual ~FileSystem() = default;

    // Opens for appending (and reading); makes the file if it is not there.
    virtual Result<std::unique_ptr<File>> open_append(const std::string& path) = 0;
    virtual Result<std::unique_ptr<File>> open_read(const std::string& path) = 0;
    virtual Result<Unit> rename(const std::string& from, const std::string& to) = 0;
    virtual Result<Unit> remove(const std::string& path) = 0;
    virtual Result<Unit> make_directory(const std::string& path) = 0;
    virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
    virtual Result<Unit> sync_directory(const std::string& path) = 0;
    // Held until the result is destroyed, or the process ends. Errors: Conflict if another one holds it.
    virtual Result<std::unique_ptr<File>> lock(const std::string& path) = 0;
};

// The operating system's.
FileSystem& real_file_system();

}  // namespace stoker::journal
