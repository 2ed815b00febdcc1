// What was found unreadable since the store was opened. Thread-safe.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "base/sync.h"
#include "tsdb/store.h"

namespace stoker::tsdb {

class DamageLog {
public:
    static constexpr std::size_t kMost = 1000;  // More are counted only.

    // Logs it too, once. False if it was known already.
    bool add(std::string where, std::string what);
    std::vector<Damage> list() const;
    bool empty() const { return count_.load() == 0; }
    std::size_t count() const { return count_.load(); }
    // "N parts unreadable, first WHERE: WHAT". REQUIRES: not empty.
    std::string summary() const;

private:
    std::atomic<std::size_t> count_{0};
    mutable Mutex mutex_;
    std::vector<Damage> damage_ GUARDED_BY(mutex_);
};

}  // namespace stoker::tsdb
