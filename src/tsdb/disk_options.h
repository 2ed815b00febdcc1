// How RocksDB is set up: small, because this process also serves traffic on machines that have little to spare.
#pragma once

#include <rocksdb/db.h>

#include <vector>

#include "tsdb/store.h"

namespace stoker::tsdb {

rocksdb::DBOptions database_options(const StoreOptions& options);

// In the order of Disk's handles.
std::vector<rocksdb::ColumnFamilyDescriptor> all_families(const StoreOptions& options);

}  // namespace stoker::tsdb
