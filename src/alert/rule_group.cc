#include "alert/rule_group.h"

#include <chrono>
#include <cmath>
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
std::string filled(const ExpandFn& expand, const std::string& text, const Labels& labels, double value) {
    if (!expand || text.find("{{") == std::string::npos) return text;
    auto expanded = expand(text, labels, value);
    return expanded ? *std::move(expanded) : "<error expanding template: " + expanded.error().message + ">";
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

// Replaces rule.written by the series in `samples` and adds markers for those that are there no more.
void mark_stale(std::set<Labels>& written, Timestamp now, std::vector<tsdb::SeriesSample>& samples) {
    std::set<Labels> fresh;
    for (const tsdb::SeriesSample& sample : samples) fresh.insert(sample.labels);
    for (const Labels& old : written) {
        if (!fresh.contains(old)) samples.push_back({old, {to_millis(now), tsdb::stale_marker()}});
    }
    written = std::move(fresh);
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
    const Timestamp at = now - spec_.query_offset;
    Evaluation all;
    for (Rule& rule : rules_) {
        if (keep_going && !keep_going()) break;
        const auto rule_began = std::chrono::steady_clock::now();
        Samples samples;
        const auto done = evaluate_rule(rule, at, query, expand, samples, all.transitions);
        rule.error = done ? "" : done.error().message;
        rule.last_evaluation = now;
        rule.evaluation_seconds = seconds_since(rule_began);
        if (!done) {
            ++all.failures;
            continue;
        }
        mark_stale(rule.written, at, samples);
        if (write && !samples.empty()) write(samples);
        std::move(samples.begin(), samples.end(), std::back_inserter(all.samples));
    }
    last_evaluation_ = now;
    evaluation_seconds_ = seconds_since(began);
    return all;
}

Result<Unit> RuleGroup::evaluate_rule(Rule& rule, Timestamp now, const QueryFn& query, const ExpandFn& expand,
                                      Samples& samples, std::vector<AlertTransition>& transitions) const {
    TRY(auto value, query(rule.spec.expr, now));
    TRY(auto vector, as_vector(std::move(value)));
    if (spec_.limit > 0 && vector.size() > static_cast<std::size_t>(spec_.limit)) {
        return Error{Errc::ResourceExhausted, "the rule yields " + std::to_string(vector.size()) +
                                                  " series, the group's limit is " + std::to_string(spec_.limit)};
    }
    if (rule.spec.kind == RuleSpec::Kind::Recording) return record(rule, now, vector, samples);
    return alert(rule, now, vector, expand, samples, transitions);
}

Result<Unit> RuleGroup::record(Rule& rule, Timestamp now, const promql::Vector& result, Samples& samples) const {
    std::set<Labels> seen;
    for (const promql::VectorSample& sample : result) {
        Labels labels = sample.labels.with(tsdb::kMetricName, rule.spec.name);
        for (const auto& [name, value] : rule.spec.labels) labels = labels.with(name, value);
        if (!seen.insert(labels).second) {
            return Error{Errc::InvalidArgument, "two series of the result have the labels " + labels.text()};
        }
        samples.push_back({std::move(labels), {to_millis(now), sample.sample.value}});
    }
    return Unit{};
}

Result<Unit> RuleGroup::alert(Rule& rule, Timestamp now, const promql::Vector& result, const ExpandFn& expand,
                              Samples& samples, std::vector<AlertTransition>& transitions) const {
    struct Found {
        Labels labels;
        const promql::VectorSample* sample;
    };
    std::vector<Found> found;
    std::set<Labels> present;
    for (const promql::VectorSample& sample : result) {
        Labels labels = sample.labels.without({std::string(tsdb::kMetricName)});
        const Labels source = labels;  // What templates see.
        for (const auto& [name, text] : rule.spec.labels) {
            labels = labels.with(name, filled(expand, text, source, sample.sample.value));
        }
        labels = labels.with("alertname", rule.spec.name);
        if (!present.insert(labels).second) {
            return Error{Errc::InvalidArgument, "two alerts have the labels " + labels.text()};
        }
        found.push_back({std::move(labels), &sample});
    }
    for (const Found& item : found) {
        const HoldPolicy policy{rule.spec.hold_for, rule.spec.keep_firing_for};
        Active& active = rule.alerts.try_emplace(item.labels, Active{AlertState(policy), {}, 0}).first->second;
        active.value = item.sample->sample.value;
        const Labels source = item.sample->labels.without({std::string(tsdb::kMetricName)});
        for (const auto& [name, text] : rule.spec.annotations) {
            active.annotations[name] = filled(expand, text, source, active.value);
        }
    }
    settle(rule, present, now, samples, transitions);
    return Unit{};
}

// Moves every alert's state by whether it is in `present`, and tells of what changed.
void RuleGroup::settle(Rule& rule, const std::set<Labels>& present, Timestamp now, Samples& samples,
                       std::vector<AlertTransition>& transitions) const {
    for (auto it = rule.alerts.begin(); it != rule.alerts.end();) {
        const Labels& labels = it->first;
        Active& active = it->second;
        const Phase before = active.state.phase();
        const Timestamp since = active.state.active_since().value_or(now);
        const Phase after = active.state.observe(present.contains(labels), now);
        const auto transition = [&](AlertTransition::Kind kind) {
            transitions.push_back(
                {kind, rule.spec.name, labels, active.annotations, active.value, rule.spec.expr, since, now});
        };
        if (before != Phase::Firing && after == Phase::Firing) transition(AlertTransition::Kind::Fired);
        if (before == Phase::Firing && after == Phase::Inactive) transition(AlertTransition::Kind::Resolved);
        if (after == Phase::Inactive) {
            it = rule.alerts.erase(it);
            continue;
        }
        samples.push_back({state_series(labels, after), {to_millis(now), 1}});
        samples.push_back(
            {for_state_series(labels), {to_millis(now), std::floor(static_cast<double>(to_millis(since)) / 1000)}});
        ++it;
    }
}

void RuleGroup::take_over(RuleGroup& previous) {
    for (Rule& rule : rules_) {
        for (Rule& old : previous.rules_) {
            if (!rule.spec.same_condition(old.spec)) continue;
            rule.alerts = std::exchange(old.alerts, {});
            rule.written = std::exchange(old.written, {});
            rule.error = old.error;
            rule.last_evaluation = old.last_evaluation;
            rule.evaluation_seconds = old.evaluation_seconds;
            break;
        }
    }
    last_evaluation_ = previous.last_evaluation_;
    evaluation_seconds_ = previous.evaluation_seconds_;
}

Evaluation RuleGroup::retire(Timestamp now) {
    Evaluation last;
    for (Rule& rule : rules_) {
        for (const auto& [labels, active] : rule.alerts) {
            if (active.state.phase() != Phase::Firing) continue;
            last.transitions.push_back({AlertTransition::Kind::Resolved, rule.spec.name, labels, active.annotations,
                                        active.value, rule.spec.expr, active.state.active_since().value_or(now), now});
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
    GroupStatus status{spec_.file, spec_.name, spec_.interval, spec_.limit, last_evaluation_, evaluation_seconds_, {}};
    for (const Rule& rule : rules_) {
        RuleStatus shown{rule.spec, {}, rule.error, rule.last_evaluation, rule.evaluation_seconds};
        for (const auto& [labels, active] : rule.alerts) {
            shown.alerts.push_back({labels, active.annotations, active.state.phase(),
                                    active.state.active_since().value_or(Timestamp{}), active.value});
        }
        status.rules.push_back(std::move(shown));
    }
    return status;
}

}  // namespace stoker::alert
