// Delta points added up to cumulative ones, series by series.
//
// The store, like Prometheus, keeps counters that only grow. A sender of deltas tells what came since it told last, so
// what it told before is kept here: bounded, forgotten when idle, and lost with the process. A series not known here
// goes on from what the store has of it (otlp_resume.h), so a restart of Stoker is none of the counter's.
//
// A request is a round: what add() did counts only after commit(), so that one which the store could not take can be
// sent again. Not thread-safe.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "tsdb/labels.h"
#include "tsdb/querier.h"
#include "wire/otlp.h"

namespace stoker::collect {

struct OtlpDeltaOptions {
    std::size_t max_series = 100'000;
    Duration forget_after{3600LL * 1000};  // Without a point for so long, a series starts anew.
};

class OtlpDeltas {
public:
    // `history` may be null: then every series that is not known starts from zero. REQUIRES: it outlives this.
    explicit OtlpDeltas(OtlpDeltaOptions options, const tsdb::Querier* history = nullptr)
        : options_(options), history_(history) {}

    // Makes `point` what it and all before it add up to, since the first of them started. Errors: InvalidArgument (it
    // overlaps one that was counted, so it may be a repetition), ResourceExhausted (too many series).
    Result<Unit> add(const tsdb::Labels& series, wire::otlp::Kind kind, wire::otlp::Point& point);

    void commit(Timestamp now);
    void abandon() { round_.clear(); }

    std::size_t size() const { return series_.size(); }

private:
    struct Sum {
        wire::otlp::Kind kind = wire::otlp::Kind::None;
        wire::otlp::Point total;  // Without attributes and exemplars.
        Timestamp used{};
    };
    Sum resumed(const tsdb::Labels& series, wire::otlp::Kind kind, const wire::otlp::Point& point) const;

    using Series = std::unordered_map<tsdb::Labels, Sum>;

    void forget_idle(Timestamp now);

    const OtlpDeltaOptions options_;
    const tsdb::Querier* const history_;
    Series series_;
    Series round_;  // What this round changed.
    Timestamp forgot_{};
};

}  // namespace stoker::collect
