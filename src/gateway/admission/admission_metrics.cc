#include "gateway/admission/admission_metrics.h"

#include "gateway/metrics_names.h"

namespace stoker::gateway {
namespace {

std::string label(std::size_t priority) {
    return std::string(to_string(static_cast<Priority>(priority)));
}

}  // namespace

AdmissionMetrics::AdmissionMetrics(metrics::Registry& registry)
    : wait_(registry.histogram(names::kQueueWait, "How long admitted requests waited for a place in their pool.",
                               {"pool", "priority"}, metrics::latency_bounds())),
      refused_(registry.counter(names::kQueueRefused, "Requests that left the queue without a place, and why.",
                                {"pool", "priority", "reason"})),
      waiting_(registry.gauge(names::kQueueWaiting, "Requests that wait for a place.", {"pool", "priority"})),
      running_(registry.gauge(names::kQueueRunning, "Requests that have a place.", {"pool"})),
      limit_(registry.gauge(names::kQueueLimit, "Places of the pool.", {"pool"})) {}

AdmissionSeries AdmissionMetrics::series(const std::string& pool) {
    AdmissionSeries series;
    for (std::size_t priority = 0; priority < kPriorityClasses; ++priority) {
        series.wait[priority] = &wait_.with({pool, label(priority)});
        for (std::size_t end = 1; end < kAdmissionEnds; ++end) {
            const std::string reason(to_string(static_cast<AdmissionEnd>(end)));
            series.refused[priority][end] = &refused_.with({pool, label(priority), reason});
        }
    }
    return series;
}

void AdmissionMetrics::show(const std::vector<AdmissionStatus>& pools) {
    std::set<std::string> now;
    for (const AdmissionStatus& status : pools) {
        for (std::size_t priority = 0; priority < kPriorityClasses; ++priority) {
            waiting_.with({status.pool, label(priority)}).set(static_cast<double>(status.waiting[priority]));
        }
        running_.with({status.pool}).set(static_cast<double>(status.running));
        if (status.limit) {
            limit_.with({status.pool}).set(static_cast<double>(*status.limit));
        } else {
            limit_.remove({status.pool});
        }
        now.insert(status.pool);
    }
    for (const std::string& pool : shown_) {
        if (now.contains(pool)) continue;
        for (std::size_t priority = 0; priority < kPriorityClasses; ++priority)
            waiting_.remove({pool, label(priority)});
        running_.remove({pool});
        limit_.remove({pool});
    }
    shown_ = std::move(now);
}

}  // namespace stoker::gateway
