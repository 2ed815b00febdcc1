// What XIDs mean and what is to be done: config/gpu/xid.yaml, read. A plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/result.h"

namespace stoker::collect {

struct XidEntry {
    std::vector<std::pair<std::int64_t, std::int64_t>> codes;  // Ranges, both ends included.
    std::vector<std::string> generations;                      // Empty: all.
    std::string meaning;
    std::string nvidia;
    std::string action;
    std::string severity;
};

class XidTable {
public:
    // Adds all that is wrong with it, with its places, to `problems`; the table is meaningful only if nothing is.
    static XidTable read(std::string_view yaml, const std::string& file, std::vector<config::Problem>& problems);

    // The same for a table that should be right.
    // Errors: InvalidArgument, all that is wrong with its places ("FILE:LINE:COLUMN: xids[3].codes: ..."), one a line.
    static Result<XidTable> parse(std::string_view yaml, const std::string& file);

    // The entry for that code on that generation of GPUs. A code that the table does not have is a warning to be
    // watched.
    const XidEntry& find(std::int64_t code, std::string_view generation) const;

    std::size_t size() const { return entries_.size(); }

private:
    std::vector<XidEntry> entries_;
};

}  // namespace stoker::collect
