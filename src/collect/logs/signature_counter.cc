#include "collect/logs/signature_counter.h"

#include <algorithm>

namespace stoker::collect {

SignatureCounter::SignatureCounter(metrics::Registry& registry)
    : occurrences_(registry.counter("stoker_log_signature_total",
                                    "Failures recognised in logs, by signature (config/logs/signatures.yaml).",
                                    {"signature", "severity", "service"})),
      last_seen_(registry.gauge("stoker_log_signature_last_seen_timestamp_seconds",
                                "When a failure was last recognised in a service's log, in seconds since 1970.",
                                {"signature", "severity", "service"})) {}

bool SignatureCounter::count(const SignatureSpec& spec, const std::string& service, Timestamp time) {
    std::string who = service;
    {
        MutexLock lock(mutex_);
        if (!services_.contains(who)) {
            if (services_.size() < kMostServices) {
                services_.insert(who);
            } else {
                who = "other";
            }
        }
        if (spec.burst.count > 1) {
            if (bursts_.size() > kMostBursts) bursts_.clear();
            auto& times = bursts_[{spec.name, who}];
            // Lines of the past, of a file that is read from its beginning, count by their own time.
            times.push_back(time);
            std::erase_if(times, [&](Timestamp one) { return one <= time - spec.burst.within; });
            if (static_cast<std::int64_t>(times.size()) < spec.burst.count) return false;
            times.clear();
        }
    }
    const metrics::LabelValues labels{spec.name, spec.severity, who};
    occurrences_.with(labels).add();
    auto& seen = last_seen_.with(labels);
    seen.set(std::max(seen.value(), static_cast<double>(to_millis(time)) / 1000));
    return true;
}

}  // namespace stoker::collect
