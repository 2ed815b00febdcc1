#include "collect/source_runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <stdexcept>

#include "collect/testing.h"

namespace stoker::collect {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Plays ticks of 100 ms against rounds every 300 ms with a deadline of 500 ms. `script`: '.' nothing happens before
// this tick, 'e' the round under way ends. Returns what each tick said: 's' start, 'h' hung, digits skipped, '.' none.
std::string play(std::string_view script) {
    SourceRounds rounds({.interval = Duration{300}, .deadline = Duration{500}}, SteadyTime{});
    std::string said;
    SteadyTime now{};
    for (char event : script) {
        if (event == 'e') rounds.ended();
        const auto step = rounds.tick(now);
        if (step.start) said += 's';
        if (step.hung) said += 'h';
        if (step.skipped > 0) said += std::to_string(step.skipped);
        if (!step.start && !step.hung && step.skipped == 0) said += '.';
        now += milliseconds(100);
    }
    return said;
}

TEST(SourceRounds, OneRoundAnInterval) {
    EXPECT_EQ(play(".e..e..e."), "s..s..s..");
}
TEST(SourceRounds, NeverTwoAtATime) {
    EXPECT_EQ(play("......."), "s..1.h1");
}
TEST(SourceRounds, HangsAreSaidOnceARound) {
    EXPECT_EQ(play("......e....."), "s..1.hs..1.h");
}
TEST(SourceRounds, ASlowRoundDoesNotShiftTheGrid) {
    EXPECT_EQ(play("....e...e."), "s..1..s..s");
}

TEST(SourceRounds, RoundsThatASleepingMachineMissedAreSkippedNotDoneInARush) {
    SourceRounds rounds({.interval = Duration{1'000}, .deadline = Duration{500}}, SteadyTime{});
    EXPECT_TRUE(rounds.tick(SteadyTime{}).start);
    EXPECT_FALSE(rounds.ended());
    const auto late = rounds.tick(SteadyTime{} + milliseconds(10'400));
    EXPECT_TRUE(late.start);
    EXPECT_EQ(late.skipped, 9u);
    EXPECT_EQ(rounds.next(), SteadyTime{} + milliseconds(10'900));  // Its deadline, before the next round at 11 s.
}

// Calls a function; blocks in it as long as a test likes.
class Called : public Source {
public:
    Called(std::string name, std::function<Result<Unit>(Timestamp, SampleSink&)> call)
        : name_(std::move(name)), call_(std::move(call)) {}
    std::string_view name() const override { return name_; }
    Result<Unit> collect(Timestamp now, SampleSink& sink) override { return call_(now, sink); }
    std::size_t memory_bytes() const override { return 77; }

private:
    const std::string name_;
    const std::function<Result<Unit>(Timestamp, SampleSink&)> call_;
};

std::shared_ptr<Source> counting(const std::string& name, std::shared_ptr<std::atomic<int>> rounds) {
    return std::make_shared<Called>(name, [name, rounds](Timestamp now, SampleSink& sink) {
        SampleBatch out(now);
        out.add(name + "_rounds", ++*rounds);
        sink.append(out.samples());
        return Unit{};
    });
}

// A door that holds every thread that comes to it until opened.
class Door {
public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        opened_.wait(lock, [this] { return open_; });
    }
    void open() {
        std::lock_guard lock(mutex_);
        open_ = true;
        opened_.notify_all();
    }
    int waiting() {
        std::lock_guard lock(mutex_);
        return waiting_;
    }

private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool open_ = false;
    int waiting_ = 0;
};

bool eventually(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + seconds(20);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(milliseconds(1));
    }
    return true;
}

bool says(const metrics::Registry& registry, const std::string& line) {
    return registry.text().find(line) != std::string::npos;
}

constexpr SourceSchedule kQuick{.interval = Duration{2}, .deadline = Duration{20}};

TEST(SourceRunner, ReadsAgainAndAgainAndCounts) {
    testing::RememberingSink sink;
    metrics::Registry registry;
    SourceRunner runner(sink, registry);
    auto rounds = std::make_shared<std::atomic<int>>(0);
    ASSERT_TRUE(runner.add(counting("a", rounds), kQuick).has_value());
    EXPECT_TRUE(eventually([&] { return rounds->load() >= 5; }));
    EXPECT_EQ(runner.stop(), 0u);
    EXPECT_EQ(sink.newest("a_rounds"), std::to_string(rounds->load()));
    EXPECT_TRUE(
        says(registry, "stoker_source_rounds_total{source=\"a\",result=\"ok\"} " + std::to_string(rounds->load())))
        << registry.text();
    EXPECT_TRUE(says(registry, "stoker_source_samples{source=\"a\"} 1\n"));
    EXPECT_TRUE(says(registry, "stoker_source_memory_bytes{source=\"a\"} 77\n"));
    EXPECT_TRUE(says(registry, "stoker_source_hung{source=\"a\"} 0\n"));
}

TEST(SourceRunner, OneThatHangsDelaysNobodyAndIsLeftBehind) {
    testing::RememberingSink sink;
    metrics::Registry registry;
    auto door = std::make_shared<Door>();
    auto rounds = std::make_shared<std::atomic<int>>(0);
    auto came_back = std::make_shared<std::atomic<bool>>(false);
    {
        SourceRunner runner(sink, registry);
        auto stuck = std::make_shared<Called>("stuck", [door, came_back](Timestamp now, SampleSink& to) {
            door->pass();
            SampleBatch late(now);
            late.add("late", 1);
            to.append(late.samples());
            *came_back = true;
            return Unit{};
        });
        ASSERT_TRUE(runner.add(stuck, kQuick).has_value());
        ASSERT_TRUE(runner.add(counting("lively", rounds), kQuick).has_value());
        EXPECT_TRUE(eventually([&] { return says(registry, "stoker_source_hung{source=\"stuck\"} 1\n"); }));
        const int then = rounds->load();
        EXPECT_TRUE(eventually([&] { return rounds->load() >= then + 10; }));
        EXPECT_EQ(door->waiting(), 1);  // Never a second round beside it.
        EXPECT_EQ(runner.stop(Duration{50}), 1u);
    }
    door->open();  // The runner is gone; its thread finds a closed gate.
    EXPECT_TRUE(eventually([&] { return came_back->load(); }));
    EXPECT_EQ(sink.newest("late"), "absent");
}

TEST(SourceRunner, AHangThatEndsIsForgotten) {
    testing::RememberingSink sink;
    metrics::Registry registry;
    SourceRunner runner(sink, registry);
    auto door = std::make_shared<Door>();
    auto slow = std::make_shared<Called>("slow", [door](Timestamp, SampleSink&) {
        door->pass();
        return Unit{};
    });
    ASSERT_TRUE(runner.add(slow, kQuick).has_value());
    EXPECT_TRUE(eventually([&] { return says(registry, "stoker_source_hung{source=\"slow\"} 1\n"); }));
    door->open();
    EXPECT_TRUE(eventually([&] { return says(registry, "stoker_source_hung{source=\"slow\"} 0\n"); }));
    EXPECT_FALSE(says(registry, "stoker_source_skipped_rounds_total{source=\"slow\"} 0\n"));
}

TEST(SourceRunner, ErrorsAndExceptionsAreFailedRounds) {
    testing::RememberingSink sink;
    metrics::Registry registry;
    SourceRunner runner(sink, registry);
    auto failing = std::make_shared<Called>("failing", [](Timestamp, SampleSink&) -> Result<Unit> {
        return Error{Errc::NotFound, "no such device"};
    });
    auto throwing = std::make_shared<Called>(
        "throwing", [](Timestamp, SampleSink&) -> Result<Unit> { throw std::runtime_error("on purpose"); });
    ASSERT_TRUE(runner.add(failing, kQuick).has_value());
    ASSERT_TRUE(runner.add(throwing, kQuick).has_value());
    for (const std::string name : {"failing", "throwing"}) {
        const std::string none = "stoker_source_rounds_total{source=\"" + name + "\",result=\"failed\"} 0\n";
        EXPECT_TRUE(eventually([&] { return !says(registry, none); })) << name;
        EXPECT_TRUE(says(registry, "stoker_source_last_success_timestamp_seconds{source=\"" + name + "\"} 0\n"));
    }
}

TEST(SourceRunner, SourcesComeAndGo) {
    testing::RememberingSink sink;
    metrics::Registry registry;
    SourceRunner runner(sink, registry);
    auto rounds = std::make_shared<std::atomic<int>>(0);
    ASSERT_TRUE(runner.add(counting("a", rounds), kQuick).has_value());
    EXPECT_EQ(runner.add(counting("a", rounds), kQuick).error().code, Errc::Conflict);
    EXPECT_TRUE(eventually([&] { return rounds->load() > 0; }));
    EXPECT_FALSE(runner.remove("b"));
    EXPECT_TRUE(runner.remove("a"));
    EXPECT_EQ(registry.text().find("source=\"a\""), std::string::npos);
    // Its thread ends by itself; then the name is free again.
    EXPECT_TRUE(eventually([&] { return runner.add(counting("a", rounds), kQuick).has_value(); }));
    const int then = rounds->load();
    EXPECT_TRUE(eventually([&] { return rounds->load() > then; }));
    runner.stop();
    EXPECT_EQ(runner.add(counting("c", rounds), kQuick).error().code, Errc::Cancelled);
}

TEST(SourceRunner, ARemovedOneThatHangsKeepsItsNameTaken) {
    testing::RememberingSink sink;
    metrics::Registry registry;
    SourceRunner runner(sink, registry);
    auto door = std::make_shared<Door>();
    auto stuck = [door] {
        return std::make_shared<Called>("stuck", [door](Timestamp, SampleSink&) {
            door->pass();
            return Unit{};
        });
    };
    ASSERT_TRUE(runner.add(stuck(), kQuick).has_value());
    EXPECT_TRUE(eventually([&] { return door->waiting() == 1; }));
    EXPECT_TRUE(runner.remove("stuck"));
    EXPECT_EQ(runner.add(stuck(), kQuick).error().code, Errc::Conflict);
    door->open();
    EXPECT_TRUE(eventually([&] { return runner.add(stuck(), kQuick).has_value(); }));
}

}  // namespace
}  // namespace stoker::collect
