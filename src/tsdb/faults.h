// Where a test makes files fail: the log and RocksDB ask here before each call that changes a file.
//
// Not for production: StoreOptions::faults is null there, and nothing is asked.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace rocksdb {
class Env;
}

namespace stoker::tsdb {

class Faults {
public:
    enum class Op : std::uint8_t { Create, Write, Sync, Truncate, Rename };

    virtual ~Faults() = default;
    // The errno that the call is to fail with; 0: it goes ahead. Called from any thread.
    virtual int on(Op op, std::string_view path) = 0;
};

// RocksDB's environment with `faults` in front of its files. REQUIRES: `faults` outlives it.
std::unique_ptr<rocksdb::Env> faulty_env(Faults& faults);

}  // namespace stoker::tsdb
