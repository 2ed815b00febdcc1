// What the cache spared, and for whom. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "base/metrics.h"
#include "gateway/cache/cache_status.h"

namespace stoker::gateway {

class CacheMetrics {
public:
    explicit CacheMetrics(metrics::Registry& registry);

    // `model` as configured.
    void count(CacheStatus status, const std::string& model);
    // What an engine would have had to do for an answer that was there already.
    void count_saved(const std::string& model, std::int64_t prompt_tokens, std::int64_t completion_tokens);

private:
    metrics::Family<metrics::Counter>& requests_;
    metrics::Family<metrics::Counter>& saved_;
};

}  // namespace stoker::gateway
