#include "alert/rules_json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace stoker::alert {
namespace {

using nlohmann::json;

std::string_view phase_name(Phase phase) {
    constexpr std::array<std::string_view, 3> kNames{"inactive", "pending", "firing"};
    return kNames[static_cast<std::size_t>(phase)];
}

// As Go's %e with the shortest exact digits: "1e+00", "2.5e-01".
std::string exponent_form(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
    return {buffer.data(), end.ptr};
}

std::string time_text(const std::optional<Timestamp>& time) {
    return time ? format_timestamp(*time) : "0001-01-01T00:00:00Z";  // Go's zero time: never.
}

json labels_json(const tsdb::Labels& labels) {
    json object = json::object();
    for (const auto& [name, value] : labels) object[name] = value;
    return object;
}

double in_seconds(Duration duration) {
    return static_cast<double>(duration.count()) / 1000;
}

json alert_json(const ActiveAlert& alert) {
    json object = {{"labels", labels_json(alert.labels)},
                   {"annotations", alert.annotations},
                   {"state", phase_name(alert.phase)},
                   {"activeAt", format_timestamp(alert.active_since)},
                   {"value", exponent_form(alert.value)}};
    if (alert.keep_firing_since) object["keepFiringSince"] = format_timestamp(*alert.keep_firing_since);
    return object;
}

json rule_json(const RuleStatus& rule) {
    json object = {{"name", rule.spec.name},
                   {"query", rule.spec.expr},
                   {"labels", rule.spec.labels},
                   {"health", !rule.last_evaluation ? "unknown"
                              : rule.error.empty()  ? "ok"
                                                    : "err"},
                   {"evaluationTime", rule.evaluation_seconds},
                   {"lastEvaluation", time_text(rule.last_evaluation)},
                   {"type", rule.spec.kind == RuleSpec::Kind::Alerting ? "alerting" : "recording"}};
    if (!rule.error.empty()) object["lastError"] = rule.error;
    if (rule.spec.kind == RuleSpec::Kind::Recording) return object;
    Phase most = Phase::Inactive;
    json alerts = json::array();
    for (const ActiveAlert& alert : rule.alerts) {
        most = std::max(most, alert.phase);
        alerts.push_back(alert_json(alert));
    }
    object["state"] = phase_name(most);
    object["duration"] = in_seconds(rule.spec.hold_for);
    object["keepFiringFor"] = in_seconds(rule.spec.keep_firing_for);
    object["annotations"] = rule.spec.annotations;
    object["alerts"] = std::move(alerts);
    return object;
}

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string rules_to_json(const std::vector<GroupStatus>& groups) {
    json list = json::array();
    for (const GroupStatus& group : groups) {
        json rules = json::array();
        for (const RuleStatus& rule : group.rules) rules.push_back(rule_json(rule));
        list.push_back({{"name", group.name},
                        {"file", group.file},
                        {"interval", in_seconds(group.interval)},
                        {"limit", group.limit},
                        {"evaluationTime", group.evaluation_seconds},
                        {"lastEvaluation", time_text(group.last_evaluation)},
                        {"rules", std::move(rules)}});
    }
    return dump({{"groups", std::move(list)}});
}

std::string alerts_to_json(const std::vector<GroupStatus>& groups) {
    json list = json::array();
    for (const GroupStatus& group : groups) {
        for (const RuleStatus& rule : group.rules) {
            for (const ActiveAlert& alert : rule.alerts) list.push_back(alert_json(alert));
        }
    }
    return dump({{"alerts", std::move(list)}});
}

}  // namespace stoker::alert
