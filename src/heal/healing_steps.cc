// What HealingMachine does inside one incident: plan, attempt, step, verify, give up, watch.
#include <algorithm>
#include <utility>

#include "heal/healing_machine.h"
#include "heal/wording.h"

namespace stoker::heal {

using diagnose::Incident;
using diagnose::IncidentKind;
using diagnose::IncidentStatus;
using diagnose::Phase;

namespace {

constexpr Duration kWatchInterval{5'000};  // Between two looks at an engine that automation gave up on.
constexpr Duration kWatchLimit{30'000};    // Of one such look.
constexpr Duration kQuickStep{10'000};     // Limit of eject and readmit, which only change the gateway's mind.
constexpr Duration kLook{5'000};           // Limit of one look at an engine's health; there are many.
constexpr std::int64_t kMostDoublings = 10;

Duration limit_of(Step step, const PolicyConfig& policy) {
    switch (step) {
        case Step::Restart:
            return policy.restart_timeout;
        case Step::WaitHealthy:
            return policy.wait_healthy;
        case Step::Probe:
            return policy.probe_timeout;
        case Step::Eject:
        case Step::Readmit:
            break;
    }
    return kQuickStep;
}

bool has(const std::vector<Step>& steps, Step step) {
    return std::find(steps.begin(), steps.end(), step) != steps.end();
}

}  // namespace

HealingMachine::Case HealingMachine::make_case(const Incident& incident) const {
    Case fresh;
    fresh.incident = incident;
    fresh.incident.timeline.clear();  // The book has it; a copy per case would only be memory.
    fresh.incident.hypotheses.clear();
    if (const PolicyConfig* policy = match(config_.policies, incident)) {
        fresh.policy = std::make_shared<const PolicyConfig>(*policy);
        fresh.steps = steps_of(*policy);
    }
    return fresh;
}

void HealingMachine::plan(Case fresh, Timestamp now) {
    Case& at = cases_.insert_or_assign(fresh.incident.id, std::move(fresh)).first->second;
    if (at.policy == nullptr) {
        report(at, now, Phase::Plan, "No healing policy is meant for this; nothing will be done automatically.");
        finished_.push_back(at.incident.id);
        return;
    }
    if (const auto no = refusal(at, now)) return escalate(at, *no, now);
    std::string steps = list_steps(at.steps);
    if (config_.dry_run || at.policy->dry_run) {
        report(at, now, Phase::Plan, "Dry run: would " + steps + ". Nothing was done.");
        return escalate(at, "this is a dry run", now);
    }
    steps += at.policy->verify.query.empty() ? "" : ", verify";
    if (at.policy->require_approval) {
        at.stage = Stage::AwaitingApproval;
        at.deadline = now + at.policy->approval_timeout;
        report(at, now, Phase::Plan, "Plan: " + steps + ". Waits for approval.", true,
               IncidentStatus::AwaitingApproval);
        return;
    }
    report(at, now, Phase::Plan, "Plan: " + steps + ".");
    begin_or_queue(at, now);
}

// Why this must not be acted upon; nothing if it may.
std::optional<std::string> HealingMachine::refusal(const Case& at, Timestamp now) {
    const PolicyConfig& policy = *at.policy;
    const std::string& replica = at.incident.replica;
    if (replica.empty()) return "the incident is about no replica that could be acted on";
    const ReplicaFacts facts = fleet_.replica(replica);
    if (!facts.known) return replica + " is not in the configuration any more";
    if (has(at.steps, Step::Restart) && !facts.restartable) {
        return replica +
               " has neither `run` nor `systemd` in the configuration, so Stoker can't restart it. Restart it "
               "by hand; it takes traffic again as soon as it answers";
    }
    if (attempts_in_window(at, now) >= static_cast<std::size_t>(policy.max_attempts)) {
        return "the limit of " + std::to_string(policy.max_attempts) + " attempts in " +
               format_duration(policy.window) + " is used up";
    }
    // A dead engine does no work: taking it out takes nothing away. An alert may be about one that serves.
    if (at.incident.kind != IncidentKind::Alert || !facts.serving) return std::nullopt;
    if (!has(at.steps, Step::Eject) && !has(at.steps, Step::Restart)) return std::nullopt;
    const PoolFacts pool = fleet_.pool(at.incident.pool);
    if (pool.serving <= 1) return replica + " is the last serving replica of pool " + at.incident.pool;
    const double out = static_cast<double>(pool.total - pool.serving + 1) / static_cast<double>(pool.total);
    if (out > config_.max_unavailable) {
        return "too much of pool " + at.incident.pool + " would be out of service (" + std::to_string(pool.serving) +
               " of " + std::to_string(pool.total) + " serve now)";
    }
    return std::nullopt;
}

void HealingMachine::begin_or_queue(Case& at, Timestamp now) {
    if (busy(at.incident.replica, at.incident.id) || active() >= static_cast<std::size_t>(config_.max_concurrent)) {
        at.stage = Stage::Queued;
        report(at, now, Phase::Plan, "Waits for other healing under way.");
        return;
    }
    begin_attempt(at, now);
}

void HealingMachine::begin_attempt(Case& at, Timestamp now) {
    at.steps = steps_of(*at.policy);
    at.step = 0;
    at.stage = Stage::Stepping;
    ++at.attempt;
    remember_attempt(at.incident.replica, now);
    const std::size_t used = attempts_in_window(at, now);
    report(at, now, Phase::Act,
           "Attempt " + std::to_string(used) + " of " + std::to_string(at.policy->max_attempts) + " begins.", true,
           IncidentStatus::Acting);
    start_step(at, now);
}

void HealingMachine::start_step(Case& at, Timestamp now) {
    at.since = now;
    at.deadline = now + limit_of(at.steps[at.step], *at.policy);
    at.last_detail.clear();
    run_step(at, now);
}

void HealingMachine::run_step(Case& at, Timestamp now) {
    at.token = ++last_token_;
    const Step step = at.steps[at.step];
    RunStep run;
    run.token = at.token;
    run.incident = at.incident.id;
    run.replica = at.incident.replica;
    run.policy = at.policy->name;
    run.reason = at.incident.title;
    run.step = step;
    run.attempt = at.attempt;
    run.limit = std::max(Duration{1}, at.deadline - now);
    if (step == Step::WaitHealthy) run.limit = std::min(run.limit, kLook);
    commands_.push_back(std::move(run));
}

void HealingMachine::step_succeeded(Case& at, const StepResult& result, Timestamp now) {
    const Step step = at.steps[at.step];
    if (step == Step::Eject) at.ejected = true;
    if (step == Step::Readmit) at.ejected = false;
    std::string text(past_tense(step));
    if (step != Step::Eject && step != Step::Readmit) text += " in " + spoken(now - at.since);
    report(at, now, Phase::Act, with_detail(std::move(text), result.detail));
    if (at.recovered && step == Step::Eject) {
        at.recovered = false;
        report(at, now, Phase::Note, "It recovered by itself meanwhile; no restart.");
        at.plan_if_ill = true;
        return start_watching(at, now);
    }
    if (++at.step < at.steps.size()) return start_step(at, now);
    start_verify(at, now);
}

void HealingMachine::start_verify(Case& at, Timestamp now) {
    if (at.policy->verify.query.empty()) {
        report(at, now, Phase::Verify,
               has(at.steps, Step::Probe) ? "Verified by the probe request; the policy has no query."
                                          : "Nothing to verify with: the policy has neither probe nor query.");
        return resolve(at, "Healed by " + at.policy->name + " in " + spoken(now - at.incident.opened_at), now);
    }
    at.stage = Stage::Verifying;
    at.since = now;
    at.deadline = now + at.policy->verify.within;
    at.normal_since.reset();
    at.last_detail.clear();
    run_query(at);
}

void HealingMachine::run_query(Case& at) {
    at.token = ++last_token_;
    commands_.push_back(RunQuery{at.token, at.incident.id, fill_in(at.policy->verify.query, at.incident)});
}

void HealingMachine::attempt_failed(Case& at, Phase phase, const std::string& why, Timestamp now) {
    at.token = 0;
    report(at, now, phase, "Attempt failed: " + why, false);
    if (const auto no = refusal(at, now)) return escalate(at, *no, now);
    const std::int64_t doublings = std::clamp<std::int64_t>(at.attempt - 1, 0, kMostDoublings);
    at.stage = Stage::BackingOff;
    at.next_at = now + at.policy->backoff * (std::int64_t{1} << doublings);
    report(at, now, Phase::Plan, "Next attempt in " + spoken(at.next_at - now) + ".");
}

void HealingMachine::escalate(Case& at, const std::string& why, Timestamp now) {
    std::string text = "A person is needed: " + why + ".";
    if (at.ejected) text += " The replica stays out of the pool until it is healthy and answers a probe.";
    report(at, now, Phase::Escalate, std::move(text), false, IncidentStatus::Escalated);
    if (!at.ejected) {
        finished_.push_back(at.incident.id);
        return;
    }
    start_watching(at, now + kWatchInterval);
}

void HealingMachine::resolve(Case& at, const std::string& how, Timestamp now) {
    report(at, now, Phase::Resolve, how + ".", true, IncidentStatus::Resolved);
    finished_.push_back(at.incident.id);
}

void HealingMachine::start_watching(Case& at, Timestamp first_look) {
    at.stage = Stage::Watching;
    at.steps = {Step::WaitHealthy, Step::Probe, Step::Readmit};
    at.step = 0;
    at.token = 0;
    at.next_at = first_look;
}

void HealingMachine::watch(Case& at, Timestamp now) {
    if (!fleet_.replica(at.incident.replica).known) {
        return resolve(at, "The replica is not in the configuration any more", now);
    }
    at.since = now;
    at.deadline = now + std::min(limit_of(at.steps[at.step], *at.policy), kWatchLimit);
    run_step(at, now);
}

void HealingMachine::watched(Case& at, const StepResult& result, Timestamp now) {
    if (result.status != StepStatus::Done) {
        if (at.plan_if_ill) {
            at.plan_if_ill = false;
            Case again = make_case(at.incident);
            again.attempt = at.attempt;
            again.ejected = at.ejected;
            return plan(std::move(again), now);
        }
        at.step = 0;
        at.next_at = now + kWatchInterval;
        return;
    }
    if (++at.step < at.steps.size()) return watch(at, now);
    report(at, now, Phase::Act, "Healthy, answered a probe, readmitted to the pool.");
    resolve(at, "Recovered without further healing", now);
}

}  // namespace stoker::heal
