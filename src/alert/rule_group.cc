#include "alert/rule_group.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

namespace stoker::alert {
namespace {

using tsdb::Labels;

double seconds_since(std::chrono::steady_clock::time_point began) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

// Rules take instant vectors; a scalar counts as one sample without labels.
Result<promql::Vector> as_vector(promql::Value value) {
    if (auto* vector = std::get_if<promql::Vector>(&value.data)) return std::move(*vector);
    if (const auto* scalar = std::get_if<promql::Scalar>(&value.data)) {
        return promql::Vector{{Labels{}, scalar->sample}};
    }
    return Error{Errc::InvalidArgument, "the rule's result is neither a vector nor a scalar"};
}

// The text with its templates filled in; a template that fails shows its error, as Prometheus does, rather than
// silencing the alert.
std::string filled(const ExpandFn& expand, const std::string& text, const AlertData& data) {
    if (!expand || text.find("{{") == std::string::npos) return text;
    auto expanded = expand(text, data);
    return expanded ? *std::move(expanded) : "<error expanding template: " + expanded.error().message + ">";
}

Texts filled(const ExpandFn& expand, const Texts& texts, const AlertData& data) {
    Texts made;
    for (const auto& [name, text] : texts) made[name] = filled(expand, text, data);
    return made;
}

std::string_view state_name(Phase phase) {
    return phase == Phase::Firing ? "firing" : "pending";
}

Labels state_series(const Labels& alert, Phase phase) {
    return alert.with(tsdb::kMetricName, "ALERTS").with("alertstate", state_name(phase));
}

Labels for_state_series(const Labels& alert) {
    return alert.with(tsdb::kMetricName, "ALERTS_FOR_STATE");
}

// Adds markers for the series written before that are not among the samples, and returns those that are. Series of
// alerts that may yet go on after a restart count as written.
std::set<Labels> mark_stale(const std::set<Labels>& written, const std::map<Labels, SeenAlert>& seen, Timestamp at,
                            std::vector<tsdb::SeriesSample>& samples) {
    std::set<Labels> fresh;
    for (const tsdb::SeriesSample& sample : samples) fresh.insert(sample.labels);
    for (const Labels& old : written) {
        if (fresh.contains(old)) continue;
        if (!seen.empty() && seen.contains(old.without({std::string(tsdb::kMetricName), "alertstate"}))) {
            fresh.insert(old);
        } else {
            samples.push_back({old, {to_millis(at), tsdb::stale_marker()}});
        }
    }
    return fresh;
}

Error over_limit(std::int64_t limit, std::size_t count, const char* what) {
    return Error{Errc::ResourceExhausted,
                 "exceeded limit of " + std::to_string(limit) + " with " + std::to_string(count) + " " + what};
}

}  // namespace

RuleGroup::RuleGroup(RuleGroupSpec spec) : spec_(std::move(spec)) {
    for (const RuleSpec& rule : spec_.rules) {
        Rule made;
        made.spec = rule;
        rules_.push_back(std::move(made));
    }
}

Evaluation RuleGroup::evaluate(Timestamp now, const QueryFn& query, const ExpandFn& expand, const WriteFn& write,
                               const std::function<bool()>& keep_going) {
    const auto began = std::chrono::steady_clock::now();
    Evaluation all;
    for (Rule& rule : rules_) {
        if (keep_going && !keep_going()) break;
        const auto rule_began = std::chrono::steady_clock::now();
        Round round{now, now - spec_.query_offset.value_or(Duration{0}), expand, {}, {}};
        auto done = evaluate_rule(rule, query, round);
        if (done) {
            auto fresh = mark_stale(rule.written, rule.seen, round.at, round.samples);
            if (write && !round.samples.empty()) done = write(round.samples);
            if (done) rule.written = std::move(fresh);
        } else {
            round.samples.clear();
        }
        rule.error = done ? "" : done.error().message;
        rule.last_evaluation = now;
        rule.evaluation_seconds = seconds_since(rule_began);
        ++all.evaluated;
        all.failures += done ? 0 : 1;
        std::move(round.samples.begin(), round.samples.end(), std::back_inserter(all.samples));
        std::move(round.transitions.begin(), round.transitions.end(), std::back_inserter(all.transitions));
    }
    last_evaluation_ = now;
    evaluation_seconds_ = seconds_since(began);
    return all;
}

Result<Unit> RuleGroup::evaluate_rule(Rule& rule, const QueryFn& query, Round& round) const {
    TRY(auto value, query(rule.spec.expr, round.at));
    TRY(auto vector, as_vector(std::move(value)));
    if (rule.spec.kind == RuleSpec::Kind::Alerting) return alert(rule, vector, round);
    return record(rule, vector, round);
}

Result<Unit> RuleGroup::record(Rule& rule, const promql::Vector& result, Round& round) const {
    std::set<Labels> seen;
    for (const promql::VectorSample& sample : result) {
        Labels labels = sample.labels.with(tsdb::kMetricName, rule.spec.name);
        for (const auto& [name, value] : rule.spec.labels) labels = labels.with(name, value);
        if (!seen.insert(labels).second) {
            return Error{Errc::InvalidArgument,
                         "vector contains metrics with the same labelset after applying rule labels: " + labels.text()};
        }
        round.samples.push_back({std::move(labels), {to_millis(round.at), sample.sample.value}, sample.histogram});
    }
    if (spec_.limit > 0 && round.samples.size() > static_cast<std::size_t>(spec_.limit)) {
        return over_limit(spec_.limit, round.samples.size(), "series");
    }
    return Unit{};
}

Result<Unit> RuleGroup::alert(Rule& rule, const promql::Vector& result, Round& round) const {
    struct Found {
        Labels labels;
        Texts annotations;
        double value;
    };
    std::vector<Found> found;
    std::set<Labels> present;
    for (const promql::VectorSample& sample : result) {
        const double value = sample.histogram != nullptr ? 0 : sample.sample.value;
        const AlertData data{sample.labels, value, sample.histogram, round.now, rule.spec.name};
        Labels labels = sample.labels.without({std::string(tsdb::kMetricName)});
        for (const auto& [name, text] : rule.spec.labels) labels = labels.with(name, filled(round.expand, text, data));
        labels = labels.with("alertname", rule.spec.name);
        if (!present.insert(labels).second) {
            return Error{
                Errc::InvalidArgument,
                "vector contains metrics with the same labelset after applying alert labels: " + labels.text()};
        }
        found.push_back({std::move(labels), filled(round.expand, rule.spec.annotations, data), value});
    }
    for (Found& item : found) {
        auto known = rule.alerts.find(item.labels);
        if (known == rule.alerts.end()) {
            known = rule.alerts.emplace(item.labels, Active{begin(rule, item.labels, round.now), {}, 0, false}).first;
        }
        known->second.value = item.value;
        known->second.annotations = std::move(item.annotations);
    }
    if (rule.evaluations_to_restore > 0) resume(rule, round);
    return settle(rule, present, round);
}

// The state of an alert whose condition begins to hold now, or goes on after a restart.
AlertState RuleGroup::begin(Rule& rule, const Labels& labels, Timestamp now) const {
    const HoldPolicy policy{rule.spec.hold_for, rule.spec.keep_firing_for};
    const auto seen = rule.seen.find(labels);
    if (seen == rule.seen.end()) return AlertState(policy);
    const SeenAlert before = std::move(seen->second);
    rule.seen.erase(seen);
    const Timestamp since = resumed_since(before, policy.hold_for, now, restore_.for_grace_period);
    return AlertState::restored(policy, since, had_fired(before, policy.hold_for) ? before.seen : since);
}

// What is left to do after a restart for alerts whose condition holds no more.
void RuleGroup::resume(Rule& rule, Round& round) const {
    const HoldPolicy policy{rule.spec.hold_for, rule.spec.keep_firing_for};
    const bool last = --rule.evaluations_to_restore == 0;
    for (auto it = rule.seen.begin(); it != rule.seen.end();) {
        const auto& [labels, seen] = *it;
        const bool fired = had_fired(seen, policy.hold_for);
        const bool fires_on = fired && policy.keep_firing_for > Duration{0};
        if (!fires_on && !last) {
            ++it;
            continue;
        }
        if (fired) {
            // settle() finds its condition gone and lets it fire on or ends it.
            const AlertData data{labels, std::numeric_limits<double>::quiet_NaN(), {}, round.now, rule.spec.name};
            rule.alerts.emplace(labels, Active{AlertState::restored(policy, seen.active_since, seen.seen),
                                               filled(round.expand, rule.spec.annotations, data), data.value, true});
        }
        it = rule.seen.erase(it);
    }
}

// Moves every alert's state by whether it is in `present`, and tells of what changed. Errors: too many are active; all
// are then forgotten, as in Prometheus.
Result<Unit> RuleGroup::settle(Rule& rule, const std::set<Labels>& present, Round& round) const {
    for (auto it = rule.alerts.begin(); it != rule.alerts.end();) {
        const Labels& labels = it->first;
        Active& active = it->second;
        const Timestamp since = active.state.active_since().value_or(round.now);
        const bool fired = active.told;
        const Phase after = active.state.observe(present.contains(labels), round.now);
        if (!fired && after == Phase::Firing) {
            active.told = true;
            round.transitions.push_back(
                transition(AlertTransition::Kind::Fired, rule, labels, active, since, round.now));
        }
        if (after == Phase::Inactive) {
            if (fired) {
                round.transitions.push_back(
                    transition(AlertTransition::Kind::Resolved, rule, labels, active, since, round.now));
            }
            it = rule.alerts.erase(it);
            continue;
        }
        round.samples.push_back({state_series(labels, after), {to_millis(round.at), 1}});
        const double second = std::floor(static_cast<double>(to_millis(since)) / 1000);
        round.samples.push_back({for_state_series(labels), {to_millis(round.at), second}});
        ++it;
    }
    if (spec_.limit == 0 || rule.alerts.size() <= static_cast<std::size_t>(spec_.limit)) return Unit{};
    Error error = over_limit(spec_.limit, rule.alerts.size(), "alerts");
    for (const auto& [labels, active] : rule.alerts) {
        if (!active.told) continue;
        const Timestamp since = active.state.active_since().value_or(round.now);
        round.transitions.push_back(
            transition(AlertTransition::Kind::Resolved, rule, labels, active, since, round.now));
    }
    rule.alerts.clear();
    return error;
}

AlertTransition RuleGroup::transition(AlertTransition::Kind kind, const Rule& rule, const Labels& labels,
                                      const Active& active, Timestamp since, Timestamp now) const {
    return {kind, rule.spec.name, labels, active.annotations, active.value, rule.spec.expr, since, now};
}

void RuleGroup::restore(const std::string& name, const std::vector<SeenAlert>& seen, const RestoreOptions& options) {
    restore_ = options;
    for (Rule& rule : rules_) {
        if (rule.spec.kind != RuleSpec::Kind::Alerting || rule.spec.name != name) continue;
        for (const SeenAlert& alert : seen) {
            const bool ours = std::all_of(rule.spec.labels.begin(), rule.spec.labels.end(), [&](const auto& label) {
                return label.second.find("{{") != std::string::npos || alert.labels.get(label.first) == label.second;
            });
            if (!ours || rule.alerts.contains(alert.labels)) continue;
            rule.seen.emplace(alert.labels, alert);
            // Series that the other process left open: they get their markers when they are written no more.
            rule.written.insert(for_state_series(alert.labels));
            const bool fired = had_fired(alert, rule.spec.hold_for);
            rule.written.insert(state_series(alert.labels, fired ? Phase::Firing : Phase::Pending));
        }
        rule.evaluations_to_restore = rule.seen.empty() ? 0 : 2;
    }
}

void RuleGroup::take_over(RuleGroup& previous) {
    for (Rule& rule : rules_) {
        for (Rule& old : previous.rules_) {
            if (!rule.spec.same_condition(old.spec)) continue;
            rule.alerts = std::exchange(old.alerts, {});
            rule.written = std::exchange(old.written, {});
            rule.seen = std::exchange(old.seen, {});
            rule.evaluations_to_restore = old.evaluations_to_restore;
            rule.error = old.error;
            rule.last_evaluation = old.last_evaluation;
            rule.evaluation_seconds = old.evaluation_seconds;
            break;
        }
    }
    restore_ = previous.restore_;
    last_evaluation_ = previous.last_evaluation_;
    evaluation_seconds_ = previous.evaluation_seconds_;
}

Evaluation RuleGroup::retire(Timestamp now) {
    Evaluation last;
    for (Rule& rule : rules_) {
        for (const auto& [labels, active] : rule.alerts) {
            if (active.state.phase() != Phase::Firing) continue;
            last.transitions.push_back(transition(AlertTransition::Kind::Resolved, rule, labels, active,
                                                  active.state.active_since().value_or(now), now));
        }
        rule.alerts.clear();
        for (const Labels& labels : rule.written) {
            last.samples.push_back({labels, {to_millis(now), tsdb::stale_marker()}});
        }
        rule.written.clear();
    }
    return last;
}

GroupStatus RuleGroup::status() const {
    const Duration offset = spec_.query_offset.value_or(Duration{0});
    GroupStatus status{spec_.file,  spec_.name,       spec_.interval,      offset,
                       spec_.limit, last_evaluation_, evaluation_seconds_, {}};
    for (const Rule& rule : rules_) {
        RuleStatus shown{rule.spec, {}, rule.error, rule.last_evaluation, rule.evaluation_seconds};
        for (const auto& [labels, active] : rule.alerts) {
            shown.alerts.push_back({labels, active.annotations, active.state.phase(),
                                    active.state.active_since().value_or(Timestamp{}), active.value,
                                    active.state.gap_since()});
        }
        status.rules.push_back(std::move(shown));
    }
    return status;
}

}  // namespace stoker::alert
