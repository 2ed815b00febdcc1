// Alert states across a restart: what ALERTS_FOR_STATE says that a process before this one knew.
//
// That series has, for each active alert, the second since when it is active, a sample an evaluation; a staleness
// marker where it ended. Semantics are Prometheus': only outages up to a tolerance are bridged, an alert's `for` clock
// stands still meanwhile, and one that would fire soon after gets a grace period first. Beyond Prometheus, an alert
// that fired is firing again however short its `for`. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tsdb/labels.h"
#include "tsdb/querier.h"

namespace stoker::alert {

struct RestoreOptions {
    Duration outage_tolerance{60LL * 60 * 1000};
    Duration for_grace_period{10LL * 60 * 1000};
};

// An alert as it was last seen.
struct SeenAlert {
    tsdb::Labels labels;     // As of the alert: alertname among them, no __name__.
    Timestamp active_since;  // To the second.
    Timestamp seen;          // The evaluation that last wrote it.
};

// Alerts of this name that were active at their last evaluation, which was no longer before `now` than the tolerance.
// Errors: the querier's own; ResourceExhausted past 100,000 alerts.
Result<std::vector<SeenAlert>> read_alert_states(const tsdb::Querier& querier, const std::string& name, Timestamp now,
                                                 Duration outage_tolerance);

// Whether it had been active for as long as it must be to fire.
inline bool had_fired(const SeenAlert& alert, Duration hold_for) {
    return alert.seen - alert.active_since >= hold_for;
}

// Since when it counts as active, now that its condition holds at `now`.
Timestamp resumed_since(const SeenAlert& alert, Duration hold_for, Timestamp now, Duration grace_period);

}  // namespace stoker::alert
