#include "heal/policy.h"

#include <algorithm>
#include <array>

namespace stoker::heal {
namespace {

constexpr std::array<std::string_view, 5> kSteps{"eject", "restart", "wait_healthy", "probe", "readmit"};

bool contains(const std::vector<std::string>& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

// Alert incidents are titled by the alert's name and, in braces, its labels.
std::string_view alert_name(std::string_view title) {
    return title.substr(0, title.find('{'));
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        out += c;
    }
    return out;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
        text.replace(at, what.size(), with);
    }
}

bool known_kind(const std::string& kind) {
    return kind == "engine_down" || kind == "engine_hung" || kind == "alert";
}

}  // namespace

std::string_view to_string(Step step) {
    return kSteps[static_cast<std::size_t>(step)];
}

std::optional<Step> step_from(std::string_view name) {
    const auto found = std::find(kSteps.begin(), kSteps.end(), name);
    if (found == kSteps.end()) return std::nullopt;
    return static_cast<Step>(found - kSteps.begin());
}

void describe(config::Fields& fields, VerifyConfig& verify) {
    fields.field("query", verify.query,
                 "PromQL that yields something when all is normal; `$replica` and `$pool` stand for the incident's. "
                 "Empty: the answered probe is the proof.");
    fields.field("within", verify.within, "How long after readmission the query may take to become true.");
    fields.field("hold", verify.hold, "How long it must then stay true.");
    fields.check("hold", verify.hold <= verify.within, "must not be longer than `within`");
}

void describe(config::Fields& fields, PolicyConfig& policy) {
    fields.field("name", policy.name, "Name that incidents and logs show.");
    fields.required("name");
    fields.field("on", policy.on, "Kinds of incident: engine_down, engine_hung, alert.");
    fields.check("on", std::all_of(policy.on.begin(), policy.on.end(), known_kind),
                 "knows engine_down, engine_hung and alert");
    fields.field("alerts", policy.alerts, "With `alert` in `on`: names of the alerts that this policy acts on.");
    fields.check("alerts", !contains(policy.on, "alert") || !policy.alerts.empty(),
                 "must name the alerts when `on` has alert: no policy acts on every alert there is");
    fields.field("pools", policy.pools, "Pools it may act in; empty means all.");
    fields.field("steps", policy.steps, "Steps in order, of eject, restart, wait_healthy, probe, readmit.");
    const bool known = std::all_of(policy.steps.begin(), policy.steps.end(),
                                   [](const std::string& step) { return step_from(step).has_value(); });
    fields.check("steps", known, "knows eject, restart, wait_healthy, probe and readmit");
    fields.check("steps", !policy.steps.empty(), "must have at least one step");
    fields.check("steps", !contains(policy.steps, "eject") || contains(policy.steps, "readmit"),
                 "has eject without readmit: the replica would never take traffic again");
    fields.field("dry_run", policy.dry_run, "Write what would be done, do nothing.");
    fields.field("require_approval", policy.require_approval, "Wait for a person's approval before acting.");
    fields.field("approval_timeout", policy.approval_timeout, "Without a decision for so long, escalate.");
    fields.field("max_attempts", policy.max_attempts, "Attempts per replica within `window`, at least 1.");
    fields.check("max_attempts", policy.max_attempts >= 1, "must be at least 1");
    fields.field("window", policy.window, "Time over which attempts are counted; past the limit it escalates.");
    fields.field("backoff", policy.backoff, "Wait before the second attempt; doubles with each further one.");
    fields.field("restart_timeout", policy.restart_timeout, "Limit for the restart itself, grace period included.");
    fields.field("wait_healthy", policy.wait_healthy, "How long the engine may take to load and answer /health.");
    fields.field("probe_timeout", policy.probe_timeout, "How long until a probe request must have been answered.");
    fields.object("verify", policy.verify, "How success is proven after readmission.");
}

void describe(config::Fields& fields, HealingConfig& healing) {
    fields.field("dry_run", healing.dry_run, "Do nothing anywhere, only write what would be done.");
    fields.field("max_concurrent", healing.max_concurrent, "Replicas healed at the same time, at least 1.");
    fields.check("max_concurrent", healing.max_concurrent >= 1, "must be at least 1");
    fields.field("max_unavailable", healing.max_unavailable,
                 "Share of a pool, 0 to 1, that may be out of service when a serving replica is to be taken out. The "
                 "last serving replica is never taken out.");
    fields.check("max_unavailable", healing.max_unavailable >= 0 && healing.max_unavailable <= 1,
                 "must be from 0 to 1");
    fields.list("policies", healing.policies,
                "Healing policies, first match wins. Without any: restart-dead-engine, which restarts engines that die "
                "or hang and have `run` or `systemd`.");
}

PolicyConfig default_policy() {
    PolicyConfig policy;
    policy.name = "restart-dead-engine";
    return policy;
}

const PolicyConfig* match(const std::vector<PolicyConfig>& policies, const diagnose::Incident& incident) {
    for (const PolicyConfig& policy : policies) {
        if (!contains(policy.on, diagnose::to_string(incident.kind))) continue;
        if (!policy.pools.empty() && !contains(policy.pools, incident.pool)) continue;
        if (incident.kind == diagnose::IncidentKind::Alert && !contains(policy.alerts, alert_name(incident.title))) {
            continue;
        }
        return &policy;
    }
    return nullptr;
}

std::vector<Step> steps_of(const PolicyConfig& policy) {
    std::vector<Step> steps;
    for (const std::string& name : policy.steps) {
        if (const auto step = step_from(name)) steps.push_back(*step);
    }
    return steps;
}

std::string fill_in(std::string_view query, const diagnose::Incident& incident) {
    std::string filled(query);
    replace_all(filled, "$replica", escaped(incident.replica));
    replace_all(filled, "$pool", escaped(incident.pool));
    return filled;
}

}  // namespace stoker::heal
