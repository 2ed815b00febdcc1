// Snapshot<T>: an immutable value that readers share and a writer replaces whole (configuration, routes, rules).
//
// A mutex and a shared_ptr rather than std::atomic<std::shared_ptr>, which libstdc++ 12 makes TSan report as a race.
// Thread-safe.
#pragma once

#include <memory>
#include <utility>

#include "base/sync.h"

namespace stoker {

template <typename T>
class Snapshot {
public:
    explicit Snapshot(std::shared_ptr<const T> value = std::make_shared<const T>()) : value_(std::move(value)) {}

    std::shared_ptr<const T> get() const {
        MutexLock lock(mutex_);
        return value_;
    }

    void set(std::shared_ptr<const T> value) {
        MutexLock lock(mutex_);
        value_.swap(value);
    }

private:
    mutable Mutex mutex_;
    std::shared_ptr<const T> value_ GUARDED_BY(mutex_);
};

}  // namespace stoker
