// The consumers' places, in one small checksummed text file that is replaced whole.
//
//   stoker-cursors 1
//   journal 0f3c...           the journal's id, kept here as well as in every segment
//   cursor records 4711
//   crc32c 8a9136aa           of all lines before
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "journal/file_system.h"
#include "journal/format.h"

namespace stoker::journal {

struct Cursors {
    JournalId journal{};
    std::map<std::string, std::uint64_t> next;  // By consumer, the next sequence it wants.
};

std::string encode(const Cursors& cursors);
// Errors: Corruption.
Result<Cursors> decode_cursors(std::string_view text);

// Errors: NotFound if there is none, Corruption.
Result<Cursors> read_cursors(FileSystem& files, const std::string& directory);
// Survives the loss of power when it returns.
Result<Unit> write_cursors(FileSystem& files, const std::string& directory, const Cursors& cursors);

// Letters, digits, '.', '_' and '-', 1 to 64 of them.
bool is_consumer_name(std::string_view name);

}  // namespace stoker::journal
