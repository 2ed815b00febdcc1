// Hours without a server, on a simulated clock: buffer, batches and delivery put together as the sender does it.
#include <gtest/gtest.h>

#include <map>

#include "agent/delivery.h"
#include "agent/fill.h"
#include "agent/testing.h"

namespace stoker::agent {
namespace {

using collect::SendAnswer;
using collect::SendOutcome;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Clocks;
using testing::metric;
using testing::open;
using testing::sample;
using testing::TemporaryFolder;

constexpr int kSeries = 5;

// What destinations took: by series, times in the order in which they came.
struct Books {
    std::map<std::string, std::vector<std::int64_t>> times;
    std::map<SteadyTime, std::size_t> samples_at;

    void take(const Batch& batch, SteadyTime now) {
        const auto message = collect::decode_record(1, "2" + batch.encode({.version = wire::RemoteWriteVersion::V2}));
        ASSERT_TRUE(message);
        const wire::WriteRequest& request = (*message)->request;
        for (std::size_t i = 0; i < request.series_count(); ++i) {
            auto& list = times[std::string(request.label_bytes(request.series[i]))];
            for (auto s = request.series[i].first_sample; s < request.series[i + 1].first_sample; ++s) {
                list.push_back(request.samples[s].time);
            }
        }
        samples_at[now] += batch.samples();
    }
};

struct World {
    explicit World(DeliveryOptions options, BufferOptions buffer_options = {})
        : delivery_options(options), delivery(options, clocks.steady()) {
        buffer = open(folder, clocks, registry, buffer_options);
        EXPECT_TRUE(buffer->keep_place("a", 1));
    }

    // Runs for so long, sampling once a `step`. `works` says of each destination whether it answers.
    void run(Duration time, const std::vector<bool>& works, bool collects = true, Duration step = seconds(1)) {
        for (const SteadyTime end = clocks.steady() + time; clocks.steady() < end; clocks.pass(step)) {
            if (collects) {
                std::vector<tsdb::SeriesSample> samples;
                for (int i = 0; i < kSeries; ++i) {
                    samples.push_back(sample("m" + std::to_string(i), clocks.now().wall, i));
                }
                buffer->append(samples, clocks.now());
                collected.push_back(to_millis(clocks.now().wall));
            }
            while (delivery.next_send(backlog) <= clocks.steady() && send(works)) {
            }
            if (clocks.steady() - tidied >= minutes(1)) {
                buffer->tidy(clocks.now());
                tidied = clocks.steady();
            }
        }
    }

    bool send(const std::vector<bool>& works) {
        const auto next =
            fill(*buffer, "a", buffer->place("a"), {delivery.most_records(), most_samples}, clocks.steady());
        if (next.batch.empty()) {
            EXPECT_TRUE(buffer->keep_place("a", next.next));
            backlog = false;
            return false;
        }
        const std::size_t target = delivery.target();
        const SendAnswer answer{works[target] ? SendOutcome::Sent : SendOutcome::TryAgain};
        const auto settled =
            delivery.answered(answer, next.batch.samples(), next.batch.records(), clocks.steady(), 0.5);
        ++requests;
        backlog = next.more || settled == Delivery::Settled::Waits;
        if (settled == Delivery::Settled::Waits) return true;
        books[target].take(next.batch, clocks.steady());
        taken.take(next.batch, clocks.steady());
        EXPECT_TRUE(buffer->keep_place("a", next.next));
        return true;
    }

    // Every sample once, in order.
    void expect_whole() const {
        ASSERT_EQ(taken.times.size(), static_cast<std::size_t>(kSeries));
        for (const auto& [series, times] : taken.times) EXPECT_EQ(times, collected) << series;
    }

    const TemporaryFolder folder;
    Clocks clocks;
    metrics::Registry registry;
    std::unique_ptr<Buffer> buffer;
    const DeliveryOptions delivery_options;
    Delivery delivery;
    const std::size_t most_samples = static_cast<std::size_t>(delivery_options.catch_up);  // A second's worth.
    bool backlog = false;
    SteadyTime tidied{};
    int requests = 0;
    std::vector<std::int64_t> collected;
    Books taken;
    std::map<std::size_t, Books> books;  // By destination.
};

TEST(AgentOutage, HalfAnHourIsCaughtUpInOrderAtTheRateAllowed) {
    World world({.interval = seconds(5), .catch_up = 100});
    world.run(minutes(2), {true});
    world.run(minutes(30), {false});
    const SteadyTime back = world.clocks.steady();
    world.run(minutes(5), {true});
    world.run(seconds(10), {true}, false);
    world.expect_whole();
    EXPECT_EQ(metric(world.registry, "stoker_agent_missed_records_total"), 0);
    // 30 minutes of 5 samples a second at 100 a second, with what comes meanwhile: about 95 s.
    std::map<std::int64_t, std::size_t> a_minute;
    for (const auto& [at, samples] : world.taken.samples_at) {
        if (at >= back) a_minute[(at - back) / minutes(1)] += samples;
    }
    for (const auto& [minute, samples] : a_minute) EXPECT_LE(samples, 6'500u) << minute;
    EXPECT_GT(a_minute[0], 4'000u);
    EXPECT_LT(a_minute[3], 500u);
}

TEST(AgentOutage, HoursAreCaughtUp) {
#ifdef __SANITIZE_THREAD__
    constexpr hours kAway{1};  // There is one thread here, and everything takes ten times as long.
#else
    constexpr hours kAway{6};
#endif
    World world({.interval = seconds(5)});
    world.run(minutes(1), {true});
    world.run(kAway, {false}, true, seconds(10));
    EXPECT_LT(world.requests, kAway / seconds(10));  // A server that is away isn't hammered.
    world.run(minutes(1), {true});
    world.run(seconds(10), {true}, false);
    world.expect_whole();
    EXPECT_EQ(metric(world.registry, "stoker_agent_missed_records_total"), 0);
}

TEST(AgentOutage, ALongerOneLosesTheOldestAndSaysSo) {
    World world({.interval = seconds(5)}, {.max_age = hours(1)});
    world.run(hours(2), {false}, true, seconds(10));
    world.run(minutes(1), {true});
    world.run(seconds(10), {true}, false);
    const double missed = metric(world.registry, "stoker_agent_missed_records_total", "age");
    EXPECT_NEAR(missed, 360, 12);
    for (const auto& [series, times] : world.taken.times) {
        const std::vector<std::int64_t> newest(world.collected.end() - static_cast<std::ptrdiff_t>(times.size()),
                                               world.collected.end());
        EXPECT_EQ(times, newest);
        EXPECT_EQ(static_cast<double>(times.size()) + missed, static_cast<double>(world.collected.size()));
    }
}

TEST(AgentOutage, FailingOverLosesAndDoublesNothing) {
    World world({.destinations = 2, .interval = seconds(5), .switch_after = seconds(15), .return_every = seconds(60)});
    world.run(minutes(5), {true, true});
    EXPECT_TRUE(world.books[1].times.empty());
    world.run(minutes(10), {false, true});
    world.run(minutes(3), {false, false});
    world.run(minutes(5), {false, true});
    world.run(minutes(5), {true, true});
    world.run(seconds(10), {true, true}, false);
    world.expect_whole();
    EXPECT_FALSE(world.books[1].times.empty());
    std::size_t apart = 0;
    for (const auto& [target, books] : world.books) apart += books.times.begin()->second.size();
    EXPECT_EQ(apart, world.collected.size());  // Each sample went to one of them.
}

TEST(AgentOutage, ClockStepsLoseNothing) {
    for (const Duration step : {Duration(hours(3)), Duration(hours(-3)), Duration(seconds(-30))}) {
        World world({.interval = seconds(5)});
        world.run(minutes(3), {true});
        world.run(minutes(3), {false});
        world.clocks.set_wall(step);
        world.run(minutes(3), {false});
        world.run(minutes(3), {true});
        world.run(seconds(10), {true}, false);
        world.expect_whole();
        EXPECT_EQ(metric(world.registry, "stoker_agent_missed_records_total"), 0);
    }
}

}  // namespace
}  // namespace stoker::agent
