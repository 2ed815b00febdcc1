// All that the gateway remembers of answers, and the rules by which it does; and which requests go to
// engines together. Thread-safe.
#pragma once

#include <atomic>
#include <memory>

#include "base/metrics.h"

namespace stoker::gateway {

struct CacheOptions;
struct CacheParts;  // cache_parts.h: for those who work with them.

class CacheControl {
public:
    explicit CacheControl(metrics::Registry& registry);
    ~CacheControl();

    // From the next request on. Answers stay, unless there are no rules any more or no room.
    void configure(CacheOptions options);
    // Whether there is any rule: all that a request asks where there is none.
    bool active() const { return active_.load(std::memory_order_relaxed); }
    // The same for requests that go to engines together.
    bool batching() const { return batching_.load(std::memory_order_relaxed); }

    CacheParts& parts() { return *parts_; }

private:
    const std::unique_ptr<CacheParts> parts_;
    std::atomic<bool> active_{false};
    std::atomic<bool> batching_{false};
};

}  // namespace stoker::gateway
