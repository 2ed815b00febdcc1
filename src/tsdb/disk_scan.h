// A walk over a RocksDB family that goes on behind what can't be read.
#pragma once

#include <rocksdb/db.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stoker::tsdb {

// First keys of a family's files below the newest level, ascending.
//
// RocksDB 7.8 has a hole there: Next() from one such file into the next one, whose first block has a wrong checksum,
// ends the level without an error, while Seek() reports it. So each step over one of these keys is checked with a
// Seek().
using FileStarts = std::vector<std::string>;
FileStarts file_starts(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family);
// Next(). REQUIRES: it is valid.
void checked_next(rocksdb::Iterator& it, const FileStarts& starts);

struct ScanVisitor {
    // An error ends the walk.
    std::function<Result<Unit>(std::string_view key, std::string_view value)> on_entry;
    // Nothing between the two keys can be read; "" is the end on either side. `what` is RocksDB's word for it.
    std::function<void(std::string_view after, std::string_view before, const std::string& what)> on_gap;
};

// All keys from `first` on, ascending; those in blocks with a wrong checksum are left out and reported.
Result<Unit> scan_family(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, std::string_view first,
                         const ScanVisitor& visitor);

// A key as text for a message: hexadecimal.
std::string key_text(std::string_view key);

}  // namespace stoker::tsdb
