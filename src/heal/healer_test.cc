#include "heal/healer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

namespace stoker::heal {
namespace {

using namespace std::chrono_literals;
using diagnose::Incident;
using diagnose::IncidentBook;
using diagnose::IncidentKind;
using diagnose::IncidentStatus;

class FakeFleet : public Fleet {
public:
    ReplicaFacts replica(const std::string&) const override { return {true, true, false}; }
    PoolFacts pool(const std::string&) const override { return {2, 1}; }
};

// An engine that is dead until it is restarted.
class FakeEngine : public ReplicaControl {
public:
    StepResult eject(const std::string&, const std::string&, Duration) override { return did("eject", true); }
    StepResult readmit(const std::string&, Duration) override { return did("readmit", true); }
    StepResult restart(const std::string&, Duration) override {
        alive = restart_works.load();
        return did("restart", alive);
    }
    StepResult healthy(const std::string&, Duration) override { return did("healthy", alive); }
    StepResult probe(const std::string&, Duration) override { return did("probe", alive); }

    std::string done() {
        MutexLock lock(mutex_);
        return done_;
    }
    std::atomic<bool> alive{false};
    std::atomic<bool> restart_works{true};

private:
    StepResult did(const std::string& what, bool well) {
        MutexLock lock(mutex_);
        done_ += what + " ";
        return {well ? StepStatus::Done : StepStatus::Failed, ""};
    }
    Mutex mutex_;
    std::string done_;
};

class MemoryLog : public ActionLog {
public:
    Result<Unit> begin(const ActionIntent& intent) override {
        MutexLock lock(mutex_);
        if (refuse) return Error{Errc::Unavailable, "disk full"};
        records.push_back({intent, false});
        return Unit{};
    }
    Result<Unit> finish(const ActionIntent& intent, ActionEnd, std::string_view, Timestamp) override {
        MutexLock lock(mutex_);
        for (ActionRecord& record : records) record.finished |= record.intent.id == intent.id;
        return Unit{};
    }
    Result<std::vector<ActionRecord>> since(Timestamp) override {
        MutexLock lock(mutex_);
        return records;
    }
    std::vector<ActionRecord> records;
    std::atomic<bool> refuse{false};

private:
    Mutex mutex_;
};

Result<promql::Value> nothing(std::string_view, Timestamp) {
    return promql::Value{promql::Vector{}, {}, {}};
}
Result<promql::Value> something(std::string_view, Timestamp) {
    return promql::Value{promql::Vector{{tsdb::Labels{}, {0, 1}}}, {}, {}};
}

class HealerTest : public ::testing::Test {
protected:
    HealerTest() {
        options.config.policies.push_back(default_policy());
        PolicyConfig& policy = options.config.policies[0];
        policy.backoff = 1ms;
        policy.verify = {"ok", 5s, 0ms};
    }
    std::string open() {
        Incident incident;
        incident.kind = IncidentKind::EngineDown;
        incident.replica = "chat/a";
        incident.pool = "chat";
        incident.opened_at = stoker::now();
        return book.open(incident, incident.opened_at).incident.id;
    }
    std::unique_ptr<Healer> healer() {
        return std::make_unique<Healer>(options, book, fleet, engine, actions, query, registry);
    }
    // Whether the incident had this status within 10 s.
    bool becomes(const std::string& id, IncidentStatus status) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (std::chrono::steady_clock::now() < deadline) {
            if (book.find(id)->status == status) return true;
            std::this_thread::sleep_for(1ms);
        }
        return false;
    }

    HealerOptions options;
    IncidentBook book{nullptr};
    FakeFleet fleet;
    FakeEngine engine;
    MemoryLog actions;
    metrics::Registry registry;
    alert::QueryFn query = something;
};

TEST_F(HealerTest, HealsAndRecords) {
    auto made = healer();
    made->start({});
    const std::string id = open();
    made->on_opened(*book.find(id));
    ASSERT_TRUE(becomes(id, IncidentStatus::Resolved));
    made->stop();
    EXPECT_EQ(engine.done(), "eject restart healthy probe readmit ");
    const Incident incident = *book.find(id);
    EXPECT_EQ(incident.policy, "restart-dead-engine");
    EXPECT_GE(incident.resolved_at, incident.opened_at);
    ASSERT_EQ(actions.records.size(), 3u);
    for (const ActionRecord& record : actions.records) EXPECT_TRUE(record.finished);
}

TEST_F(HealerTest, GivesUpWhenNothingHelps) {
    engine.restart_works = false;
    auto made = healer();
    made->start({});
    const std::string id = open();
    made->on_opened(*book.find(id));
    ASSERT_TRUE(becomes(id, IncidentStatus::Escalated));
    EXPECT_EQ(engine.done(), "eject restart eject restart eject restart ");
    made->stop();
}

TEST_F(HealerTest, WhatCannotBeRecordedIsNotDone) {
    actions.refuse = true;
    auto made = healer();
    made->start({});
    const std::string id = open();
    made->on_opened(*book.find(id));
    ASSERT_TRUE(becomes(id, IncidentStatus::Escalated));
    EXPECT_EQ(engine.done(), "");
    made->stop();
}

TEST_F(HealerTest, ApprovalFromOutside) {
    options.config.policies[0].require_approval = true;
    auto made = healer();
    made->start({});
    const std::string id = open();
    EXPECT_EQ(made->approve(id, "ann", "").error().code, Errc::Conflict);
    EXPECT_EQ(made->approve("inc_none", "ann", "").error().code, Errc::NotFound);
    made->on_opened(*book.find(id));
    EXPECT_EQ(book.find(id)->status, IncidentStatus::AwaitingApproval);
    const auto after = made->approve(id, "ann", "go on");
    ASSERT_TRUE(after);
    EXPECT_EQ(after->status, IncidentStatus::Acting);
    EXPECT_TRUE(becomes(id, IncidentStatus::Resolved));
    made->stop();
}

TEST_F(HealerTest, ARestartedStokerLooksBeforeItActsAgain) {
    const std::string id = open();
    ASSERT_TRUE(book.update(id, stoker::now(), [](Incident& incident) { incident.status = IncidentStatus::Acting; }));
    actions.records.push_back({{"act_1", id, "chat/a", "restart-dead-engine", Step::Eject, 1, stoker::now()}, true});
    actions.records.push_back({{"act_2", id, "chat/a", "restart-dead-engine", Step::Restart, 1, stoker::now()}, false});
    engine.alive = true;  // The interrupted restart did its work.
    auto made = healer();
    made->start({*book.find(id)});
    ASSERT_TRUE(becomes(id, IncidentStatus::Resolved));
    EXPECT_EQ(engine.done(), "eject healthy probe readmit ");
    EXPECT_TRUE(actions.records[1].finished);
    made->stop();
}

TEST_F(HealerTest, VerificationThatNeverHoldsIsNoSuccess) {
    query = nothing;
    options.config.policies[0].verify.within = 50ms;
    options.config.policies[0].max_attempts = 1;
    auto made = healer();
    made->start({});
    const std::string id = open();
    made->on_opened(*book.find(id));
    ASSERT_TRUE(becomes(id, IncidentStatus::Escalated));
    made->stop();
}

TEST_F(HealerTest, StopsInTheMiddle) {
    for (int i = 0; i < 20; ++i) {
        auto made = healer();
        made->start({});
        made->on_opened(*book.find(open()));
        made->stop();
    }
}

}  // namespace
}  // namespace stoker::heal
