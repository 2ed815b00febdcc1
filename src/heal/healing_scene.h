// For tests of the HealingMachine: a clock, a world that answers by script, and words for what happened.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heal/healing_machine.h"

namespace stoker::heal {

using namespace std::chrono_literals;
using diagnose::Incident;
using diagnose::IncidentKind;
using diagnose::IncidentStatus;
using diagnose::Phase;

class FakeFleet : public Fleet {
public:
    ReplicaFacts replica(const std::string& id) const override {
        const auto found = replicas.find(id);
        return found == replicas.end() ? ReplicaFacts{true, true, false} : found->second;
    }
    PoolFacts pool(const std::string&) const override { return facts; }

    std::map<std::string, ReplicaFacts> replicas;
    PoolFacts facts{2, 1};
};

// A machine, a clock and a world that answers. play() lets time pass until nothing is left to do, or until `until`, and
// returns what was done: "eject restart wait_healthy probe readmit query | resolved". A step that does not succeed is
// marked: "restart!" failed, "wait_healthy?" not yet (told once for a run of them).
class Scene {
public:
    explicit Scene(PolicyConfig policy) : Scene(HealingConfig{.policies = {std::move(policy)}}) {}
    explicit Scene(HealingConfig config) : machine(std::move(config), fleet) {}

    Incident incident(IncidentKind kind = IncidentKind::EngineDown, std::string replica = "chat/a") {
        Incident made;
        made.id = "inc_" + std::to_string(++made_);
        made.kind = kind;
        made.replica = std::move(replica);
        made.pool = "chat";
        made.title = kind == IncidentKind::Alert ? "Slow{pool=\"chat\"}" : "engine is down";
        made.opened_at = now;
        return made;
    }

    void feed(const Commands& commands) {
        for (const Command& command : commands) {
            if (const auto* said = std::get_if<Report>(&command)) {
                timeline.push_back(said->entry);
                if (said->evidence) evidence.push_back(*said->evidence);
                if (said->status) status[said->incident] = *said->status;
            } else {
                pending.push_back(command);
            }
        }
    }

    std::string play(Timestamp until = from_millis(1LL << 50)) {
        std::string done;
        std::string last;
        // A bound on the loop: a machine that never comes to rest is a failure, not a hang.
        for (int i = 0; i < 20'000 && now < until; ++i) {
            if (!pending.empty()) {
                const Command command = pending.front();
                pending.erase(pending.begin());
                const std::string did = answer(command);
                if (did != last) done += (done.empty() ? "" : " ") + did;
                last = did;
                continue;
            }
            const auto wake = machine.next_wake();
            if (!wake || *wake >= until) break;
            now = std::max(now, *wake);
            feed(machine.tick(now));
        }
        return done;
    }

    // How the status of the only incident is called.
    std::string ends_as(const std::string& id = "inc_1") { return std::string(to_string(status[id])); }

    bool said(std::string_view text) const {
        for (const auto& entry : timeline) {
            if (entry.text.find(text) != std::string::npos) return true;
        }
        return false;
    }

    FakeFleet fleet;
    HealingMachine machine;
    Timestamp now = from_millis(1'000'000);
    std::map<Step, std::vector<StepStatus>> script;  // One answer each time, then Done for ever.
    std::vector<bool> queries;                       // One answer each time, then true for ever.
    std::set<Step> silent;                           // Steps whose answer never comes.
    Duration step_takes{100};
    std::vector<diagnose::TimelineEntry> timeline;
    std::vector<diagnose::Evidence> evidence;
    std::map<std::string, IncidentStatus> status;
    Commands pending;

private:
    std::string answer(const Command& command) {
        now += step_takes;
        if (const auto* query = std::get_if<RunQuery>(&command)) {
            const bool normal = next(queries, true);
            feed(machine.query_done(query->token, normal, normal ? "0" : "5 errors", now));
            return normal ? "query" : "query!";
        }
        const auto& run = std::get<RunStep>(command);
        if (silent.contains(run.step)) return std::string(to_string(run.step)) + "...";
        const StepStatus how = next(script[run.step], StepStatus::Done);
        feed(machine.step_done(run.token, {how, "as scripted"}, now));
        const std::string mark = how == StepStatus::Done ? "" : how == StepStatus::NotYet ? "?" : "!";
        return std::string(to_string(run.step)) + mark;
    }
    template <typename T>
    static T next(std::vector<T>& answers, T otherwise) {
        if (answers.empty()) return otherwise;
        const T first = answers.front();
        answers.erase(answers.begin());
        return first;
    }

    int made_ = 0;
};

inline PolicyConfig policy() {
    PolicyConfig made = default_policy();
    made.verify.query = "errors == 0";
    return made;
}

inline std::vector<StepStatus> times(std::size_t n, StepStatus status) {
    return std::vector<StepStatus>(n, status);
}

}  // namespace stoker::heal
