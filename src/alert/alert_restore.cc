#include "alert/alert_restore.h"

#include <cmath>
#include <optional>
#include <utility>

namespace stoker::alert {
namespace {

constexpr std::size_t kMostAlerts = 100'000;

}  // namespace

Result<std::vector<SeenAlert>> read_alert_states(const tsdb::Querier& querier, const std::string& name, Timestamp now,
                                                 Duration outage_tolerance) {
    const std::vector<tsdb::Matcher> matchers = {
        {std::string(tsdb::kMetricName), tsdb::Matcher::Op::Equal, "ALERTS_FOR_STATE"},
        {"alertname", tsdb::Matcher::Op::Equal, name},
    };
    TRY(const auto series, querier.select(matchers, to_millis(now - outage_tolerance), to_millis(now), kMostAlerts));
    std::vector<SeenAlert> seen;
    for (const auto& one : series) {
        const auto samples = one->samples();
        tsdb::Sample sample;
        std::optional<tsdb::Sample> last;
        while (samples->next(sample)) last = sample;
        TRY_UNIT(samples->status());
        if (!last || !std::isfinite(last->value) || std::abs(last->value) > 1e12) continue;  // Ended, or no time.
        seen.push_back({one->labels().without({std::string(tsdb::kMetricName)}),
                        from_millis(static_cast<std::int64_t>(last->value) * 1000), from_millis(last->time)});
    }
    return seen;
}

Timestamp resumed_since(const SeenAlert& alert, Duration hold_for, Timestamp now, Duration grace_period) {
    if (had_fired(alert, hold_for)) return alert.active_since;
    if (hold_for < grace_period) return now;
    const Duration remaining = hold_for - (alert.seen - alert.active_since);
    if (remaining < grace_period) return now + grace_period - hold_for;
    return alert.active_since + (now - alert.seen);
}

}  // namespace stoker::alert
