// What there is to see of the pools' queues. Pools are named by the configuration, so labels are few. Thread-safe, but
// for show(), which the registry calls one at a time.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "gateway/admission/admission_gate.h"

namespace stoker::gateway {

// Of one pool, looked up when routes are made.
struct AdmissionSeries {
    std::array<metrics::Histogram*, kPriorityClasses> wait{};  // Of those admitted.
    // By priority and end; null for Admitted.
    std::array<std::array<metrics::Counter*, kAdmissionEnds>, kPriorityClasses> refused{};
};

class AdmissionMetrics {
public:
    explicit AdmissionMetrics(metrics::Registry& registry);

    AdmissionSeries series(const std::string& pool);
    // Brings the gauges up to date; those of pools that are not among them disappear.
    void show(const std::vector<AdmissionStatus>& pools);

private:
    metrics::Family<metrics::Histogram>& wait_;
    metrics::Family<metrics::Counter>& refused_;
    metrics::Family<metrics::Gauge>& waiting_;
    metrics::Family<metrics::Gauge>& running_;
    metrics::Family<metrics::Gauge>& limit_;
    std::set<std::string> shown_;
};

}  // namespace stoker::gateway
