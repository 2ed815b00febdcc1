#include "heal/healing_machine.h"

#include <algorithm>
#include <utility>

#include "heal/wording.h"

namespace stoker::heal {

using diagnose::Incident;
using diagnose::IncidentStatus;
using diagnose::Phase;

namespace {

constexpr Duration kPoll{500};         // Between two looks at an engine that is loading.
constexpr Duration kQueryPoll{1'000};  // Between two verification queries.
constexpr Duration kSlack{10'000};     // An executor that has not answered so long after its limit never will.

std::string said_by(std::string_view by) {
    return by.empty() ? "user" : std::string(by);
}

}  // namespace

HealingMachine::HealingMachine(HealingConfig config, const Fleet& fleet) : fleet_(fleet) {
    set_config(std::move(config));
}

void HealingMachine::set_config(HealingConfig config) {
    config_ = std::move(config);
    if (config_.policies.empty()) config_.policies.push_back(default_policy());
}

Commands HealingMachine::opened(const Incident& incident, Timestamp now) {
    if (!cases_.contains(incident.id)) plan(make_case(incident), now);
    return take(now);
}

Commands HealingMachine::again(const Incident& incident, std::string_view reason, Timestamp now) {
    const auto found = cases_.find(incident.id);
    if (found == cases_.end()) {
        // Given up, forbidden or never planned: saying it again changes nothing, except where nothing was decided yet.
        if (incident.status == IncidentStatus::Open) plan(make_case(incident), now);
    } else if (found->second.stage == Stage::Verifying) {
        attempt_failed(found->second, Phase::Verify, "it failed again: " + std::string(reason), now);
    }
    return take(now);
}

Commands HealingMachine::recovered(const Incident& incident, std::string_view reason, Timestamp now) {
    const auto found = cases_.find(incident.id);
    if (found == cases_.end()) {
        if (!diagnose::is_over(incident)) {
            Case gone = make_case(incident);
            resolve(gone, "Recovered by itself: " + std::string(reason), now);
        }
        return take(now);
    }
    Case& at = found->second;
    const bool restarted =
        at.stage == Stage::Verifying || (at.stage == Stage::Stepping && at.steps[at.step] != Step::Eject);
    if (restarted) return take(now);  // This is our own work showing; the steps and the verification judge it.
    if (at.stage == Stage::Stepping) {
        at.recovered = true;  // The eject under way can't be taken back; what follows it can.
    } else if (at.ejected) {
        // A look at once, which readmits; what waited for another attempt plans again if the look disappoints.
        at.plan_if_ill = at.stage != Stage::Watching;
        start_watching(at, now);
    } else {
        resolve(at, "Recovered by itself: " + std::string(reason), now);
    }
    return take(now);
}

Result<Commands> HealingMachine::approve(const std::string& incident, std::string_view by, std::string_view comment,
                                         Timestamp now) {
    const auto found = cases_.find(incident);
    if (found == cases_.end() || found->second.stage != Stage::AwaitingApproval) {
        return Error{Errc::Conflict, "no plan of " + incident + " waits for approval"};
    }
    Case& at = found->second;
    commands_.push_back(Report{incident,
                               {now, Phase::Approve, with_detail("Approved", std::string(comment)), said_by(by), true},
                               std::nullopt,
                               at.policy->name});
    begin_or_queue(at, now);
    return take(now);
}

Result<Commands> HealingMachine::reject(const std::string& incident, std::string_view by, std::string_view comment,
                                        Timestamp now) {
    const auto found = cases_.find(incident);
    if (found == cases_.end() || found->second.stage != Stage::AwaitingApproval) {
        return Error{Errc::Conflict, "no plan of " + incident + " waits for approval"};
    }
    Case& at = found->second;
    commands_.push_back(Report{incident,
                               {now, Phase::Approve, with_detail("Rejected", std::string(comment)), said_by(by), false},
                               std::nullopt,
                               at.policy->name});
    escalate(at, "the plan was rejected", now);
    return take(now);
}

Commands HealingMachine::step_done(std::uint64_t token, const StepResult& result, Timestamp now) {
    Case* const at = awaiting(token);
    if (at == nullptr) return {};
    at->token = 0;
    if (!result.detail.empty()) at->last_detail = result.detail;
    if (at->stage == Stage::Watching) {
        watched(*at, result, now);
        return take(now);
    }
    const Step step = at->steps[at->step];
    if (result.status == StepStatus::Done) {
        step_succeeded(*at, result, now);
    } else if (result.status == StepStatus::NotYet && now < at->deadline) {
        at->next_at = now + kPoll;
    } else {
        const bool late = result.status == StepStatus::NotYet;
        std::string why =
            std::string(to_string(step)) + (late ? " was not done in " + spoken(now - at->since) : " failed");
        attempt_failed(*at, Phase::Act, with_detail(std::move(why), at->last_detail), now);
    }
    return take(now);
}

Commands HealingMachine::query_done(std::uint64_t token, bool normal, std::string_view detail, Timestamp now) {
    Case* const at = awaiting(token);
    if (at == nullptr) return {};
    at->token = 0;
    if (!detail.empty()) at->last_detail = std::string(detail);
    if (!normal) {
        at->normal_since.reset();
    } else if (!at->normal_since) {
        at->normal_since = now;
    }
    if (normal && now - *at->normal_since >= at->policy->verify.hold) {
        report(*at, now, Phase::Verify, verified(at->policy->verify, now - *at->normal_since));
        attach_query(*at, "After healing: back to normal");
        resolve(*at, "Healed by " + at->policy->name + " in " + spoken(now - at->incident.opened_at), now);
    } else if (now >= at->deadline) {
        std::string why = "not back to normal within " + spoken(at->policy->verify.within);
        if (!at->last_detail.empty()) why += "; the verification query gave " + at->last_detail;
        attempt_failed(*at, Phase::Verify, why, now);
        attach_query(*at, "After healing: not back to normal");
    } else {
        at->next_at = now + kQueryPoll;
    }
    return take(now);
}

Commands HealingMachine::tick(Timestamp now) {
    for (auto& [id, at] : cases_) tick_case(at, now);
    return take(now);
}

std::optional<Timestamp> HealingMachine::next_wake() const {
    std::optional<Timestamp> next;
    const auto consider = [&next](Timestamp when) {
        if (!next || when < *next) next = when;
    };
    for (const auto& [id, at] : cases_) {
        if (at.token != 0) {
            consider(at.deadline + kSlack);
        } else if (at.stage == Stage::AwaitingApproval) {
            consider(at.deadline);
        } else if (at.stage != Stage::Queued) {
            consider(at.next_at);
        }
    }
    return next;
}

void HealingMachine::tick_case(Case& at, Timestamp now) {
    if (at.token != 0) {
        if (now < at.deadline + kSlack) return;
        at.token = 0;
        if (at.stage == Stage::Watching) {
            watched(at, {StepStatus::NotYet, "no answer"}, now);
        } else {
            attempt_failed(at, at.stage == Stage::Verifying ? Phase::Verify : Phase::Act, "no answer within the limit",
                           now);
        }
        return;
    }
    switch (at.stage) {
        case Stage::AwaitingApproval:
            if (now >= at.deadline) {
                escalate(at, "nobody approved the plan within " + format_duration(at.policy->approval_timeout), now);
            }
            break;
        case Stage::Stepping:
            if (now >= at.next_at) run_step(at, now);
            break;
        case Stage::Verifying:
            if (now >= at.next_at) run_query(at);
            break;
        case Stage::BackingOff:
            if (now >= at.next_at) begin_or_queue(at, now);
            break;
        case Stage::Watching:
            if (now >= at.next_at) watch(at, now);
            break;
        case Stage::Queued:
            break;
    }
}

void HealingMachine::release_queued(Timestamp now) {
    for (auto& [id, at] : cases_) {
        if (at.stage != Stage::Queued || busy(at.incident.replica, id)) continue;
        if (active() >= static_cast<std::size_t>(config_.max_concurrent)) return;
        begin_attempt(at, now);
    }
}

void HealingMachine::report(const Case& at, Timestamp now, Phase phase, std::string text, bool ok,
                            std::optional<IncidentStatus> status) {
    const std::string policy = at.policy == nullptr ? "" : at.policy->name;
    const std::string actor = policy.empty() ? "healing" : "policy " + policy;
    commands_.push_back(Report{at.incident.id, {now, phase, std::move(text), actor, ok}, status, policy});
}

void HealingMachine::attach_query(const Case& at, std::string text) {
    for (auto it = commands_.rbegin(); it != commands_.rend(); ++it) {
        auto* const last = std::get_if<Report>(&*it);
        if (last == nullptr || last->entry.phase != Phase::Verify) continue;
        last->evidence =
            diagnose::Evidence{std::move(text), fill_in(at.policy->verify.query, at.incident), at.last_detail};
        return;
    }
}

HealingMachine::Case* HealingMachine::awaiting(std::uint64_t token) {
    for (auto& [id, at] : cases_) {
        if (token != 0 && at.token == token) return &at;
    }
    return nullptr;
}

bool HealingMachine::busy(const std::string& replica, const std::string& except) const {
    return std::any_of(cases_.begin(), cases_.end(), [&](const auto& entry) {
        const auto& [id, at] = entry;
        return id != except && at.incident.replica == replica &&
               (at.stage == Stage::Stepping || at.stage == Stage::Verifying || at.stage == Stage::BackingOff);
    });
}

std::size_t HealingMachine::active() const {
    return static_cast<std::size_t>(std::count_if(cases_.begin(), cases_.end(), [](const auto& entry) {
        return entry.second.stage == Stage::Stepping || entry.second.stage == Stage::Verifying;
    }));
}

void HealingMachine::remember_attempt(const std::string& replica, Timestamp at) {
    std::deque<Timestamp>& times = attempts_[replica];
    times.insert(std::upper_bound(times.begin(), times.end(), at), at);
}

std::size_t HealingMachine::attempts_in_window(const Case& at, Timestamp now) {
    std::deque<Timestamp>& times = attempts_[at.incident.replica];
    while (!times.empty() && times.front() <= now - at.policy->window) times.pop_front();
    return times.size();
}

Commands HealingMachine::take(Timestamp now) {
    for (const std::string& id : finished_) cases_.erase(id);
    finished_.clear();
    release_queued(now);
    return std::exchange(commands_, {});
}

}  // namespace stoker::heal
