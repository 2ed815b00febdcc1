#include "gateway/limit/limit_metrics.h"

#include <algorithm>
#include <utility>

#include "gateway/metrics_names.h"

namespace stoker::gateway {

LimitMetrics::LimitMetrics(metrics::Registry& registry)
    : refusals_(registry.counter(names::kLimitRefusals, "Requests refused by a limit, by whose and which.",
                                 {"scope", "limit"})),
      used_(registry.gauge(names::kLimitUsed, "What is used and reserved of a limit now.", {"scope", "name", "limit"})),
      limit_(registry.gauge(names::kLimit, "Configured limits, or this gateway's share of them.",
                            {"scope", "name", "limit"})),
      reserved_tokens_(
          registry
              .counter(names::kLimitTokens, "Tokens of ended requests: as estimated before, and as used.", {"state"})
              .with({"reserved"})),
      used_tokens_(registry.counter(names::kLimitTokens, "", {"state"}).with({"used"})) {}

void LimitMetrics::count_refusal(LimitScope scope, LimitKind kind) {
    refusals_.with({std::string(to_string(scope)), std::string(to_string(kind))}).add();
}

void LimitMetrics::count_tokens(std::int64_t reserved, std::int64_t used) {
    reserved_tokens_.add(static_cast<double>(reserved));
    used_tokens_.add(static_cast<double>(std::max(std::int64_t{0}, used)));
}

void LimitMetrics::show(const LimitsReport& report) {
    std::set<metrics::LabelValues> now;
    for (const LimitLine& line : report.lines) {
        if (!line.named) continue;
        metrics::LabelValues labels{std::string(to_string(line.scope)), line.name, std::string(to_string(line.kind))};
        used_.with(labels).set(static_cast<double>(line.used + line.reserved));
        limit_.with(labels).set(static_cast<double>(line.limit));
        now.insert(std::move(labels));
    }
    for (const auto& labels : shown_) {
        if (now.contains(labels)) continue;
        used_.remove(labels);
        limit_.remove(labels);
    }
    shown_ = std::move(now);
}

}  // namespace stoker::gateway
