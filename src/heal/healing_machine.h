// The healing state machine: which step is taken when, for every incident at once, and when to stop trying.
//
//   incident ─► limits ─┬─► dry run ─► escalated           step fails / verify fails
//                       ├─► approval ─┐                    ┌───────────────────────┐
//                       └─────────────┴─► attempt: steps ──┴─► verify ─► resolved  ├─► backoff ─► next attempt
//                                                                                  └─► escalated ─► watching
// Watching: automation gave up with the replica ejected; it is readmitted when it is healthy and answers a probe again.
//
// Sans I/O: fed with events and the time, it returns commands, which Healer carries out. It remembers attempts per
// replica across incidents, so that an engine that dies every minute does not get a fresh allowance with each death.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "diagnose/incident.h"
#include "heal/fleet.h"
#include "heal/policy.h"

namespace stoker::heal {

// Do `step`, answer with step_done(token).
struct RunStep {
    std::uint64_t token = 0;
    std::string incident;
    std::string replica;
    std::string policy;
    std::string reason;
    Step step{};
    std::int64_t attempt = 0;
    Duration limit{0};
};

// Evaluate `query`, answer with query_done(token).
struct RunQuery {
    std::uint64_t token = 0;
    std::string incident;
    std::string query;
};

// Write `entry` into the incident's timeline; change its status and policy and add to its evidence where they are
// given.
struct Report {
    std::string incident;
    diagnose::TimelineEntry entry;
    std::optional<diagnose::IncidentStatus> status;
    std::string policy;
    std::optional<diagnose::Evidence> evidence{};
};

using Command = std::variant<RunStep, RunQuery, Report>;
using Commands = std::vector<Command>;

// What was done for an incident before this process: one intent and, if it was finished, how it ended.
struct PastAction {
    Step step{};
    std::int64_t attempt = 0;
    Timestamp at;
    bool finished = false;
};

class HealingMachine {
public:
    // REQUIRES: `fleet` outlives the machine.
    HealingMachine(HealingConfig config, const Fleet& fleet);

    // Policies for what comes; a plan under way keeps the policy it began with.
    void set_config(HealingConfig config);

    // A new incident, or one that had no plan yet.
    Commands opened(const diagnose::Incident& incident, Timestamp now);
    // The same trouble was seen again while the incident is not over.
    Commands again(const diagnose::Incident& incident, std::string_view reason, Timestamp now);
    // The trouble is gone without our doing, as far as the observer can tell.
    Commands recovered(const diagnose::Incident& incident, std::string_view reason, Timestamp now);

    // Decides a plan that waits. Errors: Conflict if nothing waits.
    Result<Commands> approve(const std::string& incident, std::string_view by, std::string_view comment, Timestamp now);
    Result<Commands> reject(const std::string& incident, std::string_view by, std::string_view comment, Timestamp now);

    // Answers to RunStep and RunQuery. A token that is no longer awaited is ignored.
    Commands step_done(std::uint64_t token, const StepResult& result, Timestamp now);
    Commands query_done(std::uint64_t token, bool normal, std::string_view detail, Timestamp now);

    // REQUIRES: called at next_wake() or later.
    Commands tick(Timestamp now);
    std::optional<Timestamp> next_wake() const;

    // Takes up an incident that an earlier process left unfinished, given its actions in order of time. What was under
    // way is examined before anything is done again.
    Commands restore(const diagnose::Incident& incident, const std::vector<PastAction>& actions, Timestamp now);
    // Attempts of earlier processes count against the limits as well.
    void remember_attempt(const std::string& replica, Timestamp at);

    // Incidents that have a plan, wait for one, or are watched.
    std::size_t size() const { return cases_.size(); }

private:
    enum class Stage : std::uint8_t { Queued, AwaitingApproval, Stepping, Verifying, BackingOff, Watching };

    struct Case {
        diagnose::Incident incident;  // As it was when the case began.
        std::shared_ptr<const PolicyConfig> policy;
        Stage stage = Stage::Queued;
        std::vector<Step> steps;   // Of this attempt.
        std::size_t step = 0;      // Index into `steps`.
        std::int64_t attempt = 0;  // From 1.
        std::uint64_t token = 0;   // Awaited answer; 0: none.
        Timestamp since;           // Of this step, or of verification.
        Timestamp deadline;        // Of the stage or step.
        Timestamp next_at;         // Of the next poll, attempt or watch.
        std::optional<Timestamp> normal_since;
        bool ejected = false;
        bool recovered = false;    // Seen to be well again before we did anything to it.
        bool plan_if_ill = false;  // Watching: what is not healthy at the first look gets a plan.
        std::string last_detail;
    };
    using Cases = std::map<std::string, Case, std::less<>>;

    void report(const Case& at, Timestamp now, diagnose::Phase phase, std::string text, bool ok = true,
                std::optional<diagnose::IncidentStatus> status = std::nullopt);
    // Gives the last report about verification its query as evidence: a sentence is for people, the query is the proof.
    void attach_query(const Case& at, std::string text);
    void plan(Case fresh, Timestamp now);
    std::optional<std::string> refusal(const Case& at, Timestamp now);
    void begin_or_queue(Case& at, Timestamp now);
    void begin_attempt(Case& at, Timestamp now);
    void start_step(Case& at, Timestamp now);
    void run_step(Case& at, Timestamp now);
    void step_succeeded(Case& at, const StepResult& result, Timestamp now);
    void start_verify(Case& at, Timestamp now);
    void run_query(Case& at);
    void attempt_failed(Case& at, diagnose::Phase phase, const std::string& why, Timestamp now);
    void escalate(Case& at, const std::string& why, Timestamp now);
    void resolve(Case& at, const std::string& how, Timestamp now);
    void start_watching(Case& at, Timestamp first_look);
    void watch(Case& at, Timestamp now);
    void watched(Case& at, const StepResult& result, Timestamp now);
    void tick_case(Case& at, Timestamp now);
    void release_queued(Timestamp now);
    void look_first(Case fresh, Timestamp now);
    void restore_waiting(Case fresh, Timestamp now);
    void restore_acting(Case fresh, const std::vector<PastAction>& actions, Timestamp now);
    Case make_case(const diagnose::Incident& incident) const;
    Case* awaiting(std::uint64_t token);
    bool busy(const std::string& replica, const std::string& except) const;
    std::size_t active() const;
    std::size_t attempts_in_window(const Case& at, Timestamp now);
    Commands take(Timestamp now);

    HealingConfig config_;
    const Fleet& fleet_;
    Cases cases_;                                            // By incident id.
    std::vector<std::string> finished_;                      // Cases that end with the current call.
    std::map<std::string, std::deque<Timestamp>> attempts_;  // By replica, oldest first.
    Commands commands_;                                      // Of the current call.
    std::uint64_t last_token_ = 0;
};

}  // namespace stoker::heal
