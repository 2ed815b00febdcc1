// One group of rules: evaluated together, in order, so that a rule sees what those before it recorded.
//
// Sans I/O: given the time and a way to query, it returns what to write and what changed. Semantics are Prometheus':
// series that a rule yields no more get a staleness marker; ALERTS and ALERTS_FOR_STATE show the states of alerts; a
// query that fails leaves the states as they are.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alert/alert_state.h"
#include "alert/rule.h"
#include "base/result.h"
#include "base/time.h"
#include "promql/engine.h"
#include "tsdb/labels.h"
#include "tsdb/store.h"

namespace stoker::alert {

// An instant query.
using QueryFn = std::function<Result<promql::Value>(std::string_view query, Timestamp at)>;
// Expands a template in a label or annotation.
using ExpandFn = std::function<Result<std::string>(std::string_view text, const tsdb::Labels& labels, double value)>;

// An alert that began or ceased to fire.
struct AlertTransition {
    enum class Kind : std::uint8_t { Fired, Resolved };
    Kind kind{};
    std::string name;
    tsdb::Labels labels;  // alertname among them.
    Texts annotations;
    double value = 0;  // Of the expression, when it was last true.
    std::string query;
    Timestamp active_since;
    Timestamp at;
};

struct ActiveAlert {
    tsdb::Labels labels;
    Texts annotations;
    Phase phase = Phase::Inactive;
    Timestamp active_since;
    double value = 0;
};

// What pages show of a rule.
struct RuleStatus {
    RuleSpec spec;
    std::vector<ActiveAlert> alerts;
    std::string error;  // Of the last evaluation; empty if it was good.
    std::optional<Timestamp> last_evaluation;
    double evaluation_seconds = 0;
};

struct GroupStatus {
    std::string file;
    std::string name;
    Duration interval{0};
    std::int64_t limit = 0;
    std::optional<Timestamp> last_evaluation;
    double evaluation_seconds = 0;
    std::vector<RuleStatus> rules;
};

struct Evaluation {
    std::vector<tsdb::SeriesSample> samples;
    std::vector<AlertTransition> transitions;
    std::size_t failures = 0;  // Rules whose query failed.
};

class RuleGroup {
public:
    explicit RuleGroup(RuleGroupSpec spec);

    // Evaluates every rule at `now`. `write` is called with the samples of each rule before the next is evaluated;
    // `keep_going` is asked between rules.
    // REQUIRES: `now` is after the `now` of the call before.
    using WriteFn = std::function<void(const std::vector<tsdb::SeriesSample>&)>;
    Evaluation evaluate(Timestamp now, const QueryFn& query, const ExpandFn& expand, const WriteFn& write,
                        const std::function<bool()>& keep_going);

    // Takes the states of those rules of `previous` whose condition is the same.
    void take_over(RuleGroup& previous);

    // Ends what is still active: staleness markers and resolutions for everything not taken over.
    Evaluation retire(Timestamp now);

    GroupStatus status() const;
    const RuleGroupSpec& spec() const { return spec_; }

private:
    struct Active {
        AlertState state;
        Texts annotations;
        double value = 0;
    };
    struct Rule {
        RuleSpec spec;
        std::map<tsdb::Labels, Active> alerts;
        std::set<tsdb::Labels> written;  // Series of the last good evaluation.
        std::string error;
        std::optional<Timestamp> last_evaluation;
        double evaluation_seconds = 0;
    };
    using Samples = std::vector<tsdb::SeriesSample>;

    Result<Unit> evaluate_rule(Rule& rule, Timestamp now, const QueryFn& query, const ExpandFn& expand,
                               Samples& samples, std::vector<AlertTransition>& transitions) const;
    Result<Unit> record(Rule& rule, Timestamp now, const promql::Vector& result, Samples& samples) const;
    Result<Unit> alert(Rule& rule, Timestamp now, const promql::Vector& result, const ExpandFn& expand,
                       Samples& samples, std::vector<AlertTransition>& transitions) const;
    void settle(Rule& rule, const std::set<tsdb::Labels>& present, Timestamp now, Samples& samples,
                std::vector<AlertTransition>& transitions) const;

    RuleGroupSpec spec_;
    std::vector<Rule> rules_;
    std::optional<Timestamp> last_evaluation_;
    double evaluation_seconds_ = 0;
};

}  // namespace stoker::alert
