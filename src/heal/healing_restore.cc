// How HealingMachine takes up what an earlier process left unfinished: look first, then decide; repeat nothing blindly.
#include <algorithm>
#include <utility>

#include "heal/healing_machine.h"
#include "heal/wording.h"

namespace stoker::heal {

using diagnose::Incident;
using diagnose::IncidentKind;
using diagnose::IncidentStatus;
using diagnose::Phase;

Commands HealingMachine::restore(const Incident& incident, const std::vector<PastAction>& actions, Timestamp now) {
    if (cases_.contains(incident.id) || diagnose::is_over(incident)) return {};
    Case fresh = make_case(incident);
    switch (incident.status) {
        case IncidentStatus::Acting:
            restore_acting(std::move(fresh), actions, now);
            break;
        case IncidentStatus::AwaitingApproval:
            restore_waiting(std::move(fresh), now);
            break;
        case IncidentStatus::Open:
        case IncidentStatus::Escalated:
            // Alerts come again by themselves if they still fire.
            if (incident.kind != IncidentKind::Alert) look_first(std::move(fresh), now);
            break;
        case IncidentStatus::Resolved:
            break;
    }
    return take(now);
}

void HealingMachine::restore_waiting(Case fresh, Timestamp now) {
    Case& at = cases_.insert_or_assign(fresh.incident.id, std::move(fresh)).first->second;
    if (at.policy == nullptr) return escalate(at, "the policy that asked for approval is gone", now);
    at.stage = Stage::AwaitingApproval;
    at.deadline = std::max(now, at.incident.updated_at + at.policy->approval_timeout);
}

// Healthy: over. Not healthy: an open one gets its plan, an escalated one is watched on.
void HealingMachine::look_first(Case fresh, Timestamp now) {
    Case& at = cases_.insert_or_assign(fresh.incident.id, std::move(fresh)).first->second;
    at.plan_if_ill = at.incident.status == IncidentStatus::Open;
    if (at.policy == nullptr) at.policy = std::make_shared<const PolicyConfig>(default_policy());  // For its limits.
    report(at, now, Phase::Note, "Stoker was restarted; looks at the engine anew.");
    start_watching(at, now);
}

void HealingMachine::restore_acting(Case fresh, const std::vector<PastAction>& actions, Timestamp now) {
    if (fresh.policy == nullptr) {
        Case& at = cases_.insert_or_assign(fresh.incident.id, std::move(fresh)).first->second;
        return escalate(at, "Stoker was restarted while it acted, and the policy is gone", now);
    }
    for (const PastAction& action : actions) fresh.attempt = std::max(fresh.attempt, action.attempt);
    bool restart_begun = false;
    std::string under_way = "between two steps";
    for (const PastAction& action : actions) {
        if (action.attempt != fresh.attempt) continue;
        restart_begun = restart_begun || action.step == Step::Restart;
        if (!action.finished) under_way = "at " + std::string(to_string(action.step));
    }
    Case& at = cases_.insert_or_assign(fresh.incident.id, std::move(fresh)).first->second;
    report(at, now, Phase::Note,
           "Stoker was restarted during attempt " + std::to_string(at.attempt) + ", " + under_way + ".");
    if (!restart_begun) {
        at.plan_if_ill = true;
        return start_watching(at, now);
    }
    // The restart was begun and may have happened: it is judged by its effect, through the rest of the attempt. The
    // gateway forgot the ejection with the old process, so that step is done again.
    std::erase(at.steps, Step::Restart);
    at.stage = Stage::Stepping;
    at.step = 0;
    if (at.steps.empty()) return start_verify(at, now);
    start_step(at, now);
}

}  // namespace stoker::heal
