#include "alert/rule_manager.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>

namespace stoker::alert {
namespace {

using namespace std::chrono_literals;

class Recorder : public SampleSink, public AlertObserver {
public:
    Result<Unit> write(const std::vector<tsdb::SeriesSample>& batch) override {
        MutexLock lock(mutex_);
        samples_ += batch.size();
        return Unit{};
    }
    void on_alert(const AlertTransition& transition) override {
        MutexLock lock(mutex_);
        heard_ += transition.kind == AlertTransition::Kind::Fired ? "fired " : "resolved ";
    }
    std::string heard() {
        MutexLock lock(mutex_);
        return heard_;
    }
    std::size_t samples() {
        MutexLock lock(mutex_);
        return samples_;
    }

private:
    Mutex mutex_;
    std::string heard_;
    std::size_t samples_ = 0;
};

// Whether `condition` came true within 10 s.
bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < deadline) {
        if (condition()) return true;
        std::this_thread::sleep_for(2ms);
    }
    return false;
}

std::vector<RuleGroupSpec> one_alert() {
    RuleSpec rule;
    rule.kind = RuleSpec::Kind::Alerting;
    rule.name = "Down";
    rule.expr = "x";
    RuleGroupSpec group;
    group.file = "f";
    group.name = "g";
    group.interval = 20ms;
    group.rules = {rule};
    return {group};
}

TEST(RuleManager, EvaluatesAndTells) {
    Recorder recorder;
    metrics::Registry registry;
    std::atomic<bool> down{true};
    const QueryFn query = [&down](std::string_view, Timestamp) -> Result<promql::Value> {
        promql::Vector vector;
        if (down) vector.push_back({tsdb::Labels{{"i", "1"}}, {0, 1}});
        return promql::Value{vector, {}, {}};
    };
    RuleManager manager({}, query, nullptr, recorder, recorder, registry);
    manager.replace(one_alert());
    manager.start();
    EXPECT_TRUE(eventually([&] { return recorder.heard() == "fired "; }));
    EXPECT_TRUE(eventually(
        [&] { return manager.status()->size() == 1 && !manager.status()->front().rules[0].alerts.empty(); }));
    manager.replace(one_alert());  // The same rules again: nothing ends, nothing fires anew.
    const std::size_t before = recorder.samples();
    EXPECT_TRUE(eventually([&] { return recorder.samples() > before + 6; }));
    EXPECT_EQ(recorder.heard(), "fired ");
    down = false;
    EXPECT_TRUE(eventually([&] { return recorder.heard() == "fired resolved "; }));
    down = true;
    EXPECT_TRUE(eventually([&] { return recorder.heard() == "fired resolved fired "; }));
    manager.replace({});
    EXPECT_TRUE(eventually([&] { return recorder.heard() == "fired resolved fired resolved "; }));
    manager.stop();
}

std::vector<RuleGroupSpec> two_groups() {
    std::vector<RuleGroupSpec> groups = one_alert();
    groups.push_back(groups.front());
    groups[1].name = "h";
    groups[1].rules[0].expr = "slow";
    return groups;
}

TEST(RuleManager, ASlowGroupDoesNotHoldUpOthers) {
    Recorder recorder;
    metrics::Registry registry;
    std::atomic<bool> held{true};
    std::atomic<bool> begun{false};
    const QueryFn query = [&](std::string_view text, Timestamp) -> Result<promql::Value> {
        while (text == "slow" && held) {
            begun = true;
            std::this_thread::sleep_for(1ms);
        }
        promql::Vector vector;
        vector.push_back({tsdb::Labels{{"i", "1"}}, {0, 1}});
        return promql::Value{vector, {}, {}};
    };
    RuleManagerOptions options;
    options.concurrency = 2;
    RuleManager manager(options, query, nullptr, recorder, recorder, registry);
    manager.replace(two_groups());
    manager.start();
    EXPECT_TRUE(eventually([&] { return begun.load(); }));
    const std::size_t before = recorder.samples();
    EXPECT_TRUE(eventually([&] { return recorder.samples() > before + 10; }));
    // New rules wait for the slow evaluation, and then all is as they say.
    manager.replace(one_alert());
    EXPECT_EQ(manager.status()->size(), 2U);
    held = false;
    EXPECT_TRUE(eventually([&] { return manager.status()->size() == 1; }));
    const std::size_t then = recorder.samples();
    EXPECT_TRUE(eventually([&] { return recorder.samples() > then + 4; }));
    EXPECT_EQ(recorder.heard(), "fired fired resolved ");
}

TEST(RuleManager, StopInterruptsAQuery) {
    Recorder recorder;
    metrics::Registry registry;
    auto cancel = std::make_shared<std::atomic<bool>>(false);
    std::atomic<bool> begun{false};
    const QueryFn query = [&begun, cancel](std::string_view, Timestamp) -> Result<promql::Value> {
        begun = true;
        while (!*cancel) std::this_thread::sleep_for(1ms);
        return Error{Errc::Cancelled, "stopped"};
    };
    RuleManagerOptions options;
    options.cancel = cancel;
    RuleManager manager(options, query, nullptr, recorder, recorder, registry);
    manager.replace(one_alert());
    manager.start();
    ASSERT_TRUE(eventually([&] { return begun.load(); }));
    const auto began = std::chrono::steady_clock::now();
    manager.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
}

TEST(RuleManager, InstantsLieOnAGrid) {
    const Timestamp now = from_millis(1'700'000'012'345);
    const Timestamp instant = grid_instant("f", "g", 15s, now);
    EXPECT_LE(instant, now);
    EXPECT_GT(instant, now - 15s);
    for (const auto later : {1ms, 7'000ms, 15'000ms, 1'000'000ms}) {
        EXPECT_EQ((grid_instant("f", "g", 15s, now + later) - instant).count() % 15'000, 0);
    }
    EXPECT_NE(grid_instant("f", "h", 15s, now), instant);
    EXPECT_LE(grid_instant("f", "g", 15s, from_millis(-1)), from_millis(-1));
}

// A clock that stands still until it is set.
struct ManualClock {
    std::shared_ptr<std::atomic<std::int64_t>> millis = std::make_shared<std::atomic<std::int64_t>>(1'000'000);
    Clock clock() const {
        return [at = millis] { return from_millis(*at); };
    }
};

TEST(RuleManager, CatchesUpOrCountsWhatItMissed) {
    Recorder recorder;
    metrics::Registry registry;
    Mutex mutex;
    std::vector<std::int64_t> instants;
    const QueryFn query = [&](std::string_view, Timestamp at) -> Result<promql::Value> {
        MutexLock lock(mutex);
        instants.push_back(to_millis(at));
        return promql::Value{promql::Vector{}, {}, {}};
    };
    const auto seen = [&] {
        MutexLock lock(mutex);
        return instants;
    };
    ManualClock time;
    RuleManagerOptions options;
    options.clock = time.clock();
    options.most_catch_up = 2;
    auto groups = one_alert();
    groups[0].interval = 1s;
    RuleManager manager(options, query, nullptr, recorder, recorder, registry);
    manager.start();
    manager.replace(groups);
    EXPECT_TRUE(eventually([&] { return manager.status() != nullptr && manager.status()->size() == 1; }));
    const std::int64_t first = to_millis(grid_instant("f", "g", 1s, from_millis(1'000'000))) + 1000;
    const auto nudge = [&](std::int64_t to) {
        *time.millis = to;
        manager.replace(groups);  // Wakes it; the same rules go on as they were.
    };
    nudge(first);
    EXPECT_TRUE(eventually([&] { return seen() == std::vector<std::int64_t>{first}; }));
    nudge(first + 6500);  // Late by five intervals and a half for the instant after: two of the five are made up for.
    const std::vector<std::int64_t> expected{first, first + 4000, first + 5000, first + 6000};
    EXPECT_TRUE(eventually([&] { return seen() == expected; })) << seen().size();
    auto& missed = registry.counter("stoker_rule_group_iterations_missed_total", "", {"rule_group"});
    EXPECT_EQ(missed.with({"f;g"}).value(), 3);
    manager.stop();
}

}  // namespace
}  // namespace stoker::alert
