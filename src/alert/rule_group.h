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

#include "alert/alert_restore.h"
#include "alert/alert_state.h"
#include "alert/rule.h"
#include "alert/template.h"
#include "base/result.h"
#include "base/time.h"
#include "promql/engine.h"
#include "tsdb/labels.h"
#include "tsdb/store.h"

namespace stoker::alert {

// Expands a template in a label or annotation; see Expander.
using ExpandFn = std::function<Result<std::string>(std::string_view text, const AlertData& data)>;

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
    std::optional<Timestamp> keep_firing_since;
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
    Duration query_offset{0};
    std::int64_t limit = 0;
    std::optional<Timestamp> last_evaluation;
    double evaluation_seconds = 0;
    std::vector<RuleStatus> rules;
};

struct Evaluation {
    std::vector<tsdb::SeriesSample> samples;
    std::vector<AlertTransition> transitions;
    std::size_t evaluated = 0;  // Rules.
    std::size_t failures = 0;   // Rules whose query failed, whose result is refused, or that could not be written.
};

class RuleGroup {
public:
    explicit RuleGroup(RuleGroupSpec spec);

    // Evaluates every rule at `now`. `write` is called with the samples of each rule before the next is evaluated; a
    // rule whose samples can't be written is in error. `keep_going` is asked between rules.
    // REQUIRES: `now` is after the `now` of the call before.
    using WriteFn = std::function<Result<Unit>(const std::vector<tsdb::SeriesSample>&)>;
    Evaluation evaluate(Timestamp now, const QueryFn& query, const ExpandFn& expand, const WriteFn& write,
                        const std::function<bool()>& keep_going);

    // Tells the group what a process before this one knew of the alert called `name`. Each such alert goes on when its
    // condition holds in one of the next two evaluations, or fires on for keep_firing_for; else it ends with the
    // second.
    void restore(const std::string& name, const std::vector<SeenAlert>& seen, const RestoreOptions& options);

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
        bool told = false;  // That it fires; what ends then is told too.
    };
    struct Rule {
        RuleSpec spec;
        std::map<tsdb::Labels, Active> alerts;
        std::set<tsdb::Labels> written;          // Series of the last good evaluation.
        std::map<tsdb::Labels, SeenAlert> seen;  // Of the process before, as long as they may go on.
        int evaluations_to_restore = 0;          // In which they may.
        std::string error;
        std::optional<Timestamp> last_evaluation;
        double evaluation_seconds = 0;
    };
    // One evaluation of one rule under way.
    struct Round {
        Timestamp now;  // By which alerts are timed.
        Timestamp at;   // now less the query offset: of the query and of what is written.
        const ExpandFn& expand;
        std::vector<tsdb::SeriesSample> samples;
        std::vector<AlertTransition> transitions;
    };

    Result<Unit> evaluate_rule(Rule& rule, const QueryFn& query, Round& round) const;
    Result<Unit> record(Rule& rule, const promql::Vector& result, Round& round) const;
    Result<Unit> alert(Rule& rule, const promql::Vector& result, Round& round) const;
    AlertState begin(Rule& rule, const tsdb::Labels& labels, Timestamp now) const;
    void resume(Rule& rule, Round& round) const;
    Result<Unit> settle(Rule& rule, const std::set<tsdb::Labels>& present, Round& round) const;
    AlertTransition transition(AlertTransition::Kind kind, const Rule& rule, const tsdb::Labels& labels,
                               const Active& active, Timestamp since, Timestamp now) const;

    RuleGroupSpec spec_;
    RestoreOptions restore_;
    std::vector<Rule> rules_;
    std::optional<Timestamp> last_evaluation_;
    double evaluation_seconds_ = 0;
};

}  // namespace stoker::alert
