#include "records/tail_sampler.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/id.h"

namespace stoker::records {
namespace {

using std::chrono::seconds;

Timestamp at(double second) {
    return from_millis(1'700'000'000'000 + static_cast<std::int64_t>(second * 1000));
}

// A trace id whose place is `place`.
std::string id_at(double place, int number = 0) {
    return fmt::format("{:018x}{:014x}", number, static_cast<std::uint64_t>(std::ldexp(place, 56)));
}

SpanRow span(const std::string& trace_id, std::int64_t millis = 5, bool error = false) {
    SpanRow row;
    row.trace_id = trace_id;
    row.span_id = random_hex(8);
    row.duration_ns = millis * 1'000'000;
    row.error = error;
    return row;
}

std::set<std::string> traces_of(const TailSampler::Decided& decided) {
    std::set<std::string> ids;
    for (const SpanRow& row : decided.kept) ids.insert(row.trace_id);
    return ids;
}

constexpr SamplingOptions kTenth{.rate = 0.1, .per_second = 0};

TEST(TracePlace, IsTheRandomPartOfTheId) {
    EXPECT_EQ(trace_place("00000000000000000000000000000000"), 0);
    EXPECT_DOUBLE_EQ(trace_place(id_at(0.25)), 0.25);
    EXPECT_LT(trace_place("ffffffffffffffffffffffffffffffff"), 1.0 + 1e-9);
    EXPECT_EQ(trace_place(""), 0);
    EXPECT_EQ(trace_place("not hex at all"), 0);
}

TEST(TailSampler, KeepsEverythingAtOnceWhileNothingIsToBeDropped) {
    TailSampler sampler({});
    sampler.add(7, at(0), {span(id_at(0.99))});
    const auto decided = sampler.take(at(0));
    ASSERT_EQ(decided.kept.size(), 1u);
    EXPECT_EQ(decided.kept[0].weight, 1);
    EXPECT_EQ(decided.last_sequence, 7u);
}

TEST(TailSampler, WaitsThenKeepsAShareByTheId) {
    TailSampler sampler(kTenth);
    sampler.add(1, at(0), {span(id_at(0.05)), span(id_at(0.5))});
    EXPECT_EQ(sampler.take(at(9.9)).last_sequence, 0u);
    EXPECT_EQ(sampler.waiting(), 2u);
    const auto decided = sampler.take(at(10));
    EXPECT_EQ(traces_of(decided), std::set{id_at(0.05)});
    EXPECT_DOUBLE_EQ(decided.kept[0].weight, 10);
    EXPECT_EQ(decided.dropped, 1u);
    EXPECT_EQ(decided.last_sequence, 1u);
    EXPECT_EQ(sampler.waiting(), 0u);
}

TEST(TailSampler, AnErrorThatComesWithinTheWaitSavesTheWholeTrace) {
    TailSampler sampler(kTenth);
    const std::string id = id_at(0.9);
    sampler.add(1, at(0), {span(id)});
    sampler.add(2, at(8), {span(id, 5, true)});
    EXPECT_TRUE(sampler.take(at(9)).kept.empty());
    const auto whole = sampler.take(at(10));
    ASSERT_EQ(whole.kept.size(), 2u);
    EXPECT_EQ(whole.kept[0].weight, 1);
}

TEST(TailSampler, WhatIsAlwaysKeptDoesNotWait) {
    TailSampler sampler(kTenth);
    sampler.add(1, at(0), {span(id_at(0.9), 5, true)});
    EXPECT_EQ(sampler.take(at(0)).kept.size(), 1u);
}

TEST(TailSampler, ALateErrorSavesWhatIsLeft) {
    TailSampler sampler(kTenth);
    const std::string id = id_at(0.9);
    sampler.add(1, at(0), {span(id)});
    EXPECT_EQ(sampler.take(at(10)).dropped, 1u);
    sampler.add(2, at(11), {span(id, 5, true)});
    EXPECT_EQ(sampler.take(at(21)).kept.size(), 1u);
}

TEST(TailSampler, SlowTracesAreKept) {
    TailSampler sampler({.rate = 0, .slow = seconds(2)});
    sampler.add(1, at(0), {span(id_at(0.9), 2'000), span(id_at(0.8), 1'999)});
    EXPECT_EQ(traces_of(sampler.take(at(10))), std::set{id_at(0.9)});
}

TEST(TailSampler, SpansOfADecidedTraceFollowIt) {
    TailSampler sampler(kTenth);
    sampler.add(1, at(0), {span(id_at(0.05)), span(id_at(0.5))});
    sampler.take(at(10));
    sampler.add(2, at(60), {span(id_at(0.05)), span(id_at(0.5))});
    EXPECT_EQ(traces_of(sampler.take(at(70))), std::set{id_at(0.05)});
}

TEST(TailSampler, WhatWasDecidedElsewhereIsKeptAsItIs) {
    TailSampler sampler({.rate = 0, .per_second = 0});
    SpanRow decided = span(id_at(0.9));
    decided.decided = true;
    decided.weight = 4;
    sampler.add(1, at(0), {decided, span(id_at(0.9))});
    const auto out = sampler.take(at(10));
    ASSERT_EQ(out.kept.size(), 2u);
    EXPECT_EQ(out.kept[0].weight, 4);
    EXPECT_EQ(out.kept[1].weight, 4);  // The rest of the same trace, for it stands for as many.
}

TEST(TailSampler, TooManyWaitingAreDecidedEarly) {
    TailSampler sampler({.rate = 0.5, .per_second = 0, .most = 10});
    for (std::uint64_t i = 1; i <= 20; ++i) sampler.add(i, at(0), {span(id_at(0.1, static_cast<int>(i)))});
    EXPECT_EQ(sampler.take(at(0)).last_sequence, 10u);
}

TEST(TailSampler, AClockThatIsSetBackMakesNothingWait) {
    TailSampler sampler(kTenth);
    sampler.add(1, at(0), {span(id_at(0.05))});
    EXPECT_EQ(sampler.take(at(-3600)).kept.size(), 1u);
}

TEST(TailSampler, RemembersWhatWasKeptBeforeARestart) {
    TailSampler sampler({.rate = 0, .per_second = 0});
    sampler.remember(id_at(0.9), 1, at(0));
    sampler.add(1, at(1), {span(id_at(0.9))});
    EXPECT_EQ(sampler.take(at(11)).kept.size(), 1u);
}

// Two hundred traces a second for a minute: about `per_second` are kept, and the weights add up to what came.
TEST(TailSampler, KeepsToItsBudgetAndWeightsAddUp) {
    TailSampler sampler({.rate = 1, .per_second = 20, .wait = seconds(10)});
    std::uint64_t sequence = 0;
    double weight = 0;
    std::size_t kept = 0;
    const auto take = [&](double second) {
        for (const SpanRow& row : sampler.take(at(second)).kept) {
            weight += row.weight;
            ++kept;
        }
    };
    constexpr int kTraces = 12'000;
    std::uint64_t state = 42;
    for (int i = 0; i < kTraces; ++i) {
        const double second = i / 200.0;
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        sampler.add(++sequence, at(second), {span(id_at(static_cast<double>(state >> 11) / 9007199254740992.0, i))});
        if (i % 100 == 0) take(second);
    }
    take(75);
    EXPECT_NEAR(static_cast<double>(kept), 60 * 20, 500);
    EXPECT_NEAR(weight, kTraces, kTraces * 0.12);
}

}  // namespace
}  // namespace stoker::records
