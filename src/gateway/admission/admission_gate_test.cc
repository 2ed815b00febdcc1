#include "gateway/admission/admission_gate.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace stoker::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using enum Priority;

// A gate, its clock, and how each request fared: "in", "waits", or its end's text.
class Door {
public:
    explicit Door(std::int64_t limit, std::size_t queue = 10) {
        options.mode = ConcurrencyMode::Fixed;
        options.limit = limit;
        options.queue = queue;
        configure();
    }

    void configure() {
        gate.configure(
            options, [this] { return capacity; }, now);
    }
    int come(std::string_view tenant = "t", Priority priority = Normal, double cost = 10) {
        const int id = static_cast<int>(fate.size());
        who.push_back({priority, tenant, cost, now});
        fate.emplace_back("waits");
        const auto entry = gate.enter(who.back(), now, [this, id](AdmissionEnd end) {
            fate[static_cast<std::size_t>(id)] = end == AdmissionEnd::Admitted ? "in" : to_string(end);
        });
        tickets.push_back(entry.ticket);
        if (entry.ticket == 0) fate.back() = entry.end == AdmissionEnd::Admitted ? "in" : to_string(entry.end);
        return id;
    }
    void leave(int id, double used = 10) { gate.leave(who[static_cast<std::size_t>(id)], used, now); }
    std::string fates() const {
        std::string text;
        for (const std::string& one : fate) text += (text.empty() ? "" : " ") + one;
        return text;
    }

    AdmissionOptions options;
    PoolCapacity capacity{1, {}};
    SteadyTime now{seconds(1'000)};
    std::vector<Admittee> who;
    std::vector<std::string> fate;
    std::vector<AdmissionGate::Ticket> tickets;
    AdmissionGate gate;
};

TEST(AdmissionGate, LetsInAsManyAsThereArePlaces) {
    Door door(2);
    for (int i = 0; i < 4; ++i) door.come();
    EXPECT_EQ(door.fates(), "in in waits waits");
    door.leave(0);
    EXPECT_EQ(door.fates(), "in in in waits");
    door.leave(1);
    door.leave(2);
    EXPECT_EQ(door.fates(), "in in in in");
    door.leave(3);
    EXPECT_EQ(door.gate.status(0, door.now).running, 0U);
}

TEST(AdmissionGate, IsOffByDefault) {
    AdmissionGate gate;
    EXPECT_FALSE(gate.active());
    gate.configure({}, [] { return PoolCapacity{1, {}}; }, {});
    EXPECT_FALSE(gate.active());
}

TEST(AdmissionGate, CountsPlacesByReplicasThatServe) {
    Door door(2);
    door.capacity.shares = 2.5;
    door.configure();
    for (int i = 0; i < 6; ++i) door.come();
    EXPECT_EQ(door.fates(), "in in in in in waits");
    door.capacity.shares = 3;
    door.gate.refresh(door.now);
    EXPECT_EQ(door.fates(), "in in in in in in");
    door.capacity.shares = 0.1;  // One that comes back has one place at least.
    for (int i = 0; i < 6; ++i) door.leave(i);
    door.come();
    door.come();
    EXPECT_EQ(door.fate[6] + " " + door.fate[7], "in waits");
}

// Who waits is to hear that nobody serves, and not to wait for nothing.
TEST(AdmissionGate, LetsAllThroughWhereNobodyServes) {
    Door door(1);
    for (int i = 0; i < 3; ++i) door.come();
    door.capacity.shares = 0;
    door.gate.refresh(door.now);
    EXPECT_EQ(door.fates(), "in in in");
}

TEST(AdmissionGate, AReloadStrandsNobody) {
    Door door(1);
    for (int i = 0; i < 4; ++i) door.come();
    door.options.limit = 2;
    door.configure();
    EXPECT_EQ(door.fates(), "in in waits waits");
    door.options.mode = ConcurrencyMode::Off;
    door.configure();
    EXPECT_EQ(door.fates(), "in in in in");
    door.options.mode = ConcurrencyMode::Fixed;
    door.configure();
    door.come();
    EXPECT_EQ(door.fate[4], "waits");  // Those that are under way still count.
}

TEST(AdmissionGate, GivingUpIsForThoseThatWait) {
    Door door(1);
    for (int i = 0; i < 3; ++i) door.come();
    EXPECT_TRUE(door.gate.give_up(door.tickets[1]));
    EXPECT_FALSE(door.gate.give_up(door.tickets[1]));
    door.leave(0);
    EXPECT_EQ(door.fates(), "in waits in");
    EXPECT_FALSE(door.gate.give_up(door.tickets[2]));
}

TEST(AdmissionGate, AFullQueueShedsTheLowestClass) {
    Door door(1, 2);
    door.come();
    door.come("t", Low);
    door.come("t", Normal);
    door.come("t", Low);
    EXPECT_EQ(door.fates(), "in waits waits queue_full");
    door.come("t", High);
    EXPECT_EQ(door.fates(), "in shed waits queue_full waits");
    door.come("t", High);
    EXPECT_EQ(door.fates(), "in shed shed queue_full waits waits");
    door.come("t", High);
    EXPECT_EQ(door.fate[6], "queue_full");
}

TEST(AdmissionGate, AQueueOfNoneRefusesAtOnce) {
    Door door(1, 0);
    door.come();
    door.come("t", High);
    EXPECT_EQ(door.fates(), "in queue_full");
}

TEST(AdmissionGate, TenantsTakeTurns) {
    Door door(1, 100);
    const int first = door.come("noisy");
    for (int i = 0; i < 5; ++i) door.come("noisy");
    const int quiet = door.come("quiet");
    door.leave(first);
    EXPECT_EQ(door.fate[static_cast<std::size_t>(quiet)], "in");
}

TEST(AdmissionGate, AdvisesWhatTheDrainSays) {
    Door door(4, 100);
    door.options.lower_share = 0;
    door.configure();
    const auto advised = [&](Priority priority) { return door.gate.advice({priority, "t"}, door.now).retry_after; };
    EXPECT_EQ(advised(Normal), door.options.timeout);  // Nothing is known.
    for (int i = 0; i < 4; ++i) door.come();
    for (int i = 0; i < 20; ++i) door.come("t", i % 2 == 0 ? Low : Normal);
    // Each takes two seconds: four places free two a second.
    for (int i = 0; i < 4; ++i) {
        door.now += milliseconds(500);
        for (auto& who : door.who) who.since = door.now - seconds(2);
        door.leave(i);
    }
    // Eight normal ones went in or wait: six wait, then ten low ones.
    EXPECT_EQ(advised(Normal), milliseconds(3'500));
    EXPECT_EQ(advised(Low), milliseconds(8'500));
    EXPECT_EQ(advised(High), seconds(1));
    // Nothing has ended for a minute: the pace is at most three a minute.
    door.now += seconds(60);
    EXPECT_EQ(advised(Normal), seconds(140));
    door.now += seconds(6'000);
    EXPECT_EQ(advised(Normal), seconds(600));
}

// Places that are held for `held` are known by this: `count` requests came and went.
void warm_up(Door& door, int count, std::chrono::milliseconds held) {
    for (int i = 0; i < count; ++i) {
        const int id = door.come("before");
        door.now += held;
        door.leave(id);
    }
}

TEST(AdmissionGate, WhoseTurnWillNotComeInTimeIsRefusedAtOnce) {
    Door door(4, 1000);
    door.options.timeout = milliseconds(10'000);
    door.configure();
    warm_up(door, 10, milliseconds(2'000));  // Four places free two a second: twenty in the time.
    int waiting = 0;
    while (door.fate[static_cast<std::size_t>(door.come())] != "too_long") ASSERT_LT(++waiting, 100);
    EXPECT_EQ(waiting, 4 + 25);  // 25 - sqrt(25) are twenty: with luck the last of them still has its turn.
    EXPECT_NEAR(std::chrono::duration<double>(door.gate.advice({Normal, "t"}, door.now).retry_after).count(), 13, 0.1);
    // Those that go before it wait, and who may wait for less is refused sooner.
    EXPECT_EQ(door.fate[static_cast<std::size_t>(door.come("t", High))], "waits");
    EXPECT_EQ(door.fate[static_cast<std::size_t>(door.come("quiet"))], "waits");
    const Admittee hurried{Normal, "t2", 10, door.now, door.now + milliseconds(100)};
    EXPECT_EQ(door.gate.enter(hurried, door.now, [](AdmissionEnd) {}).end, AdmissionEnd::TooLong);
    const Admittee patient{Normal, "t3", 10, door.now, door.now + seconds(60)};
    EXPECT_NE(door.gate.enter(patient, door.now, [](AdmissionEnd) {}).ticket, 0U);
    EXPECT_EQ(door.gate.status(0, door.now).waiting[1], 25U + 2);
}

TEST(AdmissionGate, TooFewEndsRefuseNobody) {
    Door door(1, 1000);
    door.options.timeout = milliseconds(1'000);
    door.configure();
    warm_up(door, 7, milliseconds(60'000));
    for (int i = 0; i < 20; ++i) door.come();
    EXPECT_EQ(door.gate.status(0, door.now).waiting[1], 19U);
}

// The hour before, when nobody wanted anything, says nothing of how long it will take now.
TEST(AdmissionGate, SilenceWhileNobodyWaitsIsNoSign) {
    Door door(2, 1000);
    warm_up(door, 10, milliseconds(100));
    const int lasting = door.come();
    door.now += std::chrono::hours(1);
    for (int i = 0; i < 30; ++i) door.come();
    EXPECT_EQ(door.gate.status(0, door.now).waiting[1], 29U);
    EXPECT_LE(door.gate.advice({Normal, "t"}, door.now).retry_after, seconds(2));
    door.leave(lasting);
}

TEST(AdmissionGate, SaysWhoseShareIsExceeded) {
    Door door(2, 4);
    for (int i = 0; i < 6; ++i) door.come("noisy");
    EXPECT_EQ(door.fate[static_cast<std::size_t>(door.come("noisy"))], "queue_full");
    EXPECT_FALSE(door.gate.advice({Normal, "noisy"}, door.now).over_share);  // Nobody else is there.
    EXPECT_EQ(door.fate[static_cast<std::size_t>(door.come("quiet"))], "waits");
    EXPECT_EQ(door.fate[5], "shed");
    EXPECT_TRUE(door.gate.advice({Normal, "noisy"}, door.now).over_share);
    EXPECT_FALSE(door.gate.advice({Normal, "quiet"}, door.now).over_share);
    EXPECT_FALSE(door.gate.advice({Low, "third"}, door.now).over_share);
}

TEST(AdmissionGate, ShowsTheOldestWait) {
    Door door(1);
    door.come();
    EXPECT_EQ(door.gate.status(0, door.now).oldest_wait, seconds(0));
    door.come();
    door.now += seconds(3);
    door.come("t", High);
    door.now += seconds(1);
    EXPECT_EQ(door.gate.status(0, door.now).oldest_wait, seconds(4));
    door.leave(0);
    EXPECT_EQ(door.gate.status(0, door.now).oldest_wait, seconds(4));
    door.leave(2);
    EXPECT_EQ(door.gate.status(0, door.now).oldest_wait, seconds(0));
}

TEST(AdmissionGate, AdaptsToTheEnginesQueues) {
    Door door(0, 1000);
    door.options.mode = ConcurrencyMode::Auto;
    door.capacity.shares = 2;
    door.configure();
    EXPECT_EQ(door.gate.status(0, door.now).limit, 8U);
    door.options.min = 32;
    door.configure();
    EXPECT_EQ(door.gate.status(0, door.now).limit, 64U);
    door.options.min = 4;
    door.configure();
    door.now += seconds(2);
    door.capacity.queues = {door.now, 10, 11};
    door.gate.refresh(door.now);
    EXPECT_EQ(door.gate.status(0, door.now).limit, 44U);
    EXPECT_EQ(door.gate.status(0, door.now).sign, LimitSign::EngineQueue);
    for (int i = 0; i < 60; ++i) door.come();
    for (int i = 0; i < 10; ++i) {
        door.now += seconds(1);
        door.come();
        door.leave(i);
    }
    EXPECT_GT(*door.gate.status(0, door.now).limit, 44U);
}

// Threads that come, wait and leave: no place is lost, and never are there more than there may be.
TEST(AdmissionGate, KeepsCountUnderThreads) {
    AdmissionGate gate;
    AdmissionOptions options;
    options.mode = ConcurrencyMode::Fixed;
    options.limit = 3;
    options.queue = 5;
    gate.configure(options, [] { return PoolCapacity{1, {}}; }, {});
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::atomic<int> served{0};
    const auto work = [&](int number) {
        const std::string tenant = "t" + std::to_string(number % 3);
        for (int i = 0; i < 2'000; ++i) {
            const SteadyTime now = std::chrono::steady_clock::now();
            const Admittee who{static_cast<Priority>((number + i) % 3), tenant, 10, now};
            auto end = std::make_shared<std::atomic<int>>(-1);
            const auto entry = gate.enter(who, now, [end](AdmissionEnd how) { *end = static_cast<int>(how); });
            if (entry.ticket == 0) *end = static_cast<int>(entry.end);
            if (i % 7 == 0 && entry.ticket != 0 && gate.give_up(entry.ticket)) continue;
            while (*end < 0) std::this_thread::yield();
            if (*end != static_cast<int>(AdmissionEnd::Admitted)) continue;
            most = std::max<int>(most, ++inside);
            ++served;
            --inside;
            gate.leave(who, 10, std::chrono::steady_clock::now());
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back(work, i);
    for (auto& thread : threads) thread.join();
    EXPECT_LE(most, 3);
    EXPECT_GT(served, 1'000);
    const auto status = gate.status(10, std::chrono::steady_clock::now());
    EXPECT_EQ(status.running, 0U);
    EXPECT_TRUE(status.lines.empty());
}

}  // namespace
}  // namespace stoker::gateway
