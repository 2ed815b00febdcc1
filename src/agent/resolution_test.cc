#include "agent/resolution.h"

#include <gtest/gtest.h>

#include "agent/local_rules.h"
#include "agent/testing.h"
#include "agent/watched_source.h"

namespace stoker::agent {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// One round a second; `fine` has a '1' where something happens. Returns of each round what became of it: '.' held back,
// 'K' kept, a digit: so many from before were kept as well.
std::string play(const std::string& fine, Duration quiet_interval, std::size_t* left_out = nullptr) {
    testing::Clocks clocks;
    Thinning thinning(quiet_interval);
    std::string story;
    for (const char now : fine) {
        const auto kept = thinning.offer(now == '1', clocks.steady(), [] {
            return Thinning::Round{std::string(100, 'x'), 10};
        });
        story += !kept.this_one ? '.' : kept.before.empty() ? 'K' : static_cast<char>('0' + kept.before.size());
        if (left_out != nullptr) *left_out += kept.left_out;
        clocks.pass(seconds(1));
    }
    return story;
}

TEST(AgentResolution, QuietKeepsOneRoundInAWhile) {
    std::size_t left_out = 0;
    EXPECT_EQ(play("0000000000000", seconds(5), &left_out), "K....K....K..");
    EXPECT_EQ(left_out, 80U);
}

TEST(AgentResolution, WhatLedUpToItComesAlong) {
    EXPECT_EQ(play("0000000111000000", seconds(5)), "K....K.1KK....K.");
    EXPECT_EQ(play("0001", seconds(5)), "K..2");
    EXPECT_EQ(play("1111", seconds(5)), "KKKK");
}

TEST(AgentResolution, WhatIsHeldBackIsBounded) {
    testing::Clocks clocks;
    Thinning thinning(minutes(10));
    std::size_t left_out = 0;
    for (int i = 0; i < 100; ++i) {
        const auto kept = thinning.offer(false, clocks.steady(), [] {
            return Thinning::Round{std::string(Thinning::kMostHeld / 10, 'x'), 1};
        });
        left_out += kept.left_out;
        clocks.pass(seconds(1));
    }
    EXPECT_LE(thinning.held_bytes(), Thinning::kMostHeld);
    EXPECT_EQ(left_out, 89U);
}

TEST(AgentResolution, LingersAndBeginsFine) {
    testing::Clocks clocks;
    Resolution resolution(minutes(2), clocks.steady());
    EXPECT_TRUE(resolution.fine(clocks.steady()));
    clocks.pass(minutes(2));
    EXPECT_FALSE(resolution.fine(clocks.steady()));
    resolution.happens(clocks.steady());
    clocks.pass(seconds(119));
    EXPECT_TRUE(resolution.fine(clocks.steady()));
    clocks.pass(seconds(1));
    EXPECT_FALSE(resolution.fine(clocks.steady()));
}

TEST(AgentResolution, TheSignsAreExpressions) {
    for (const std::string& sign : ResolutionOptions::default_signs()) {
        const auto good = LocalRules::check(sign);
        EXPECT_TRUE(good) << sign << ": " << good.error().message;
    }
}

// Gives a value that counts rounds, and ends its series when told to.
class Counting final : public collect::Source {
public:
    std::string_view name() const override { return "counting"; }
    Result<Unit> collect(Timestamp now, collect::SampleSink& sink) override {
        sink.append({testing::sample("rounds", now, ends ? tsdb::stale_marker() : ++rounds)});
        return Unit{};
    }
    bool ends = false;
    double rounds = 0;
};

class Collected final : public collect::SampleSink {
public:
    void append(const std::vector<tsdb::SeriesSample>& samples) override {
        for (const auto& one : samples) values.push_back(one.sample.value);
    }
    std::vector<double> values;
};

TEST(AgentResolution, ASourceIsThinnedAndRulesSeeItAll) {
    auto source = std::make_shared<Counting>();
    auto rules = std::make_shared<LocalRules>(std::vector<LocalRule>{{"three", "rounds == 3"}});
    auto resolution = std::make_shared<Resolution>(minutes(2), std::chrono::steady_clock::now() - minutes(5));
    WatchedSource watched(source, rules, resolution, minutes(5));
    Collected sink;
    testing::Clocks clocks;
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(watched.collect(clocks.now().wall, sink));
        clocks.pass(seconds(1));
    }
    EXPECT_EQ(sink.values, (std::vector<double>{1}));
    EXPECT_GT(watched.memory_bytes(), 0U);
    std::vector<std::string> errors;
    EXPECT_EQ(rules->evaluate(clocks.now().wall, clocks.steady(), errors).size(), 1U);
    resolution->happens(std::chrono::steady_clock::now());
    ASSERT_TRUE(watched.collect(clocks.now().wall, sink));
    EXPECT_EQ(sink.values, (std::vector<double>{1, 2, 3, 4}));
}

TEST(AgentResolution, TheEndOfASeriesIsNeverLeftOut) {
    auto source = std::make_shared<Counting>();
    auto resolution = std::make_shared<Resolution>(minutes(2), std::chrono::steady_clock::now() - minutes(5));
    WatchedSource watched(source, std::make_shared<LocalRules>(std::vector<LocalRule>{}), resolution, minutes(5));
    Collected sink;
    testing::Clocks clocks;
    for (int i = 0; i < 3; ++i) {
        source->ends = i == 2;
        ASSERT_TRUE(watched.collect(clocks.now().wall, sink));
        clocks.pass(seconds(1));
    }
    ASSERT_EQ(sink.values.size(), 3U);
    EXPECT_TRUE(tsdb::is_stale(sink.values.back()));
}

}  // namespace
}  // namespace stoker::agent
