// What limits say in metrics. Names of tenants and keys become labels only where the configuration names them.
#pragma once

#include <set>
#include <vector>

#include "base/metrics.h"
#include "gateway/limit/limiter.h"

namespace stoker::gateway {

// Thread-safe, save show(), which one thread at a time may call.
class LimitMetrics {
public:
    explicit LimitMetrics(metrics::Registry& registry);

    void count_refusal(LimitScope scope, LimitKind kind);
    // Of an ended request: what was held back for it, and what it came to.
    void count_tokens(std::int64_t reserved, std::int64_t used);
    // Brings the gauges up to date.
    void show(const LimitsReport& report);

private:
    metrics::Family<metrics::Counter>& refusals_;
    metrics::Family<metrics::Gauge>& used_;
    metrics::Family<metrics::Gauge>& limit_;
    metrics::Counter& reserved_tokens_;
    metrics::Counter& used_tokens_;
    std::set<metrics::LabelValues> shown_;
};

}  // namespace stoker::gateway
