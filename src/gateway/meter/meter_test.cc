// The arithmetic of metering: ledgers, waste, stages.
#include <gtest/gtest.h>

#include "gateway/meter/overhead.h"
#include "gateway/meter/token_ledger.h"
#include "gateway/meter/tokens.h"
#include "gateway/meter/waste.h"

namespace stoker::gateway {
namespace {

TEST(Tokens, AreAFourthOfTheBytesRoundedUp) {
    EXPECT_EQ(estimated_tokens(0), 0);
    EXPECT_EQ(estimated_tokens(1), 1);
    EXPECT_EQ(estimated_tokens(4), 1);
    EXPECT_EQ(estimated_tokens(5), 2);
}

// "counted / usage of streams / usage of whole answers / unreported", each completion+prompt.
std::string entered(const AttemptTokens& attempt) {
    metrics::Registry registry;
    auto& family = registry.counter("t", "", {"ledger", "answer", "type"});
    const auto series = LedgerSeries::of([&](const char* ledger, const char* answer, const char* type) {
        return &family.with({ledger, answer, type});
    });
    series.enter(attempt);
    const auto text = [](const metrics::Counter* completion, const metrics::Counter* prompt) {
        return std::to_string(std::lround(completion->value())) + "+" + std::to_string(std::lround(prompt->value()));
    };
    return std::to_string(std::lround(series.counted->value())) + " / " +
           text(series.stream_completion, series.stream_prompt) + " / " +
           text(series.whole_completion, series.whole_prompt) + " / " +
           text(series.unreported_completion, series.unreported_prompt);
}

TEST(TokenLedger, EntersWhatIsKnownOfAnAttemptOnce) {
    const wire::Usage usage{.prompt_tokens = 10, .completion_tokens = 7};
    EXPECT_EQ(entered({.stream = true, .events = 6, .usage = usage, .estimated_prompt = 9}), "6 / 7+10 / 0+0 / 0+0");
    EXPECT_EQ(entered({.stream = true, .events = 6, .usage = {}, .estimated_prompt = 9}), "6 / 0+0 / 0+0 / 6+9");
    EXPECT_EQ(entered({.stream = true, .events = 0, .usage = {}, .estimated_prompt = 9}), "0 / 0+0 / 0+0 / 0+0")
        << "before its first token an engine may not have begun";
    EXPECT_EQ(entered({.stream = false, .events = 0, .usage = usage, .estimated_prompt = 9}), "0 / 0+0 / 7+10 / 0+0");
    EXPECT_EQ(entered({.stream = false, .events = 0, .usage = {}, .estimated_prompt = 9}), "0 / 0+0 / 0+0 / 0+0");
}

TEST(TokenLedger, OfAContinuedStreamEachEngineHasItsOwnPart) {
    const wire::Usage own = own_usage({.prompt_tokens = 10, .completion_tokens = 60}, 40);
    EXPECT_EQ(own.completion_tokens, 20);
    EXPECT_EQ(own.prompt_tokens, 50) << "what the first one wrote was prompt for the second";
    EXPECT_EQ(own_usage({.prompt_tokens = 1, .completion_tokens = 3}, 40).completion_tokens, 0);
}

TEST(Waste, OfAWholeAnswerGoesByTheTimeItHad) {
    const LoadEstimate estimate{.prompt_tokens = 100, .new_tokens = 100, .output_tokens = 200};
    EXPECT_EQ(tokens_left_behind(estimate, 1, 4), 50);
    EXPECT_EQ(tokens_left_behind(estimate, 9, 4), 200) << "not more than was expected";
    EXPECT_EQ(tokens_left_behind(estimate, 1, 0), 0) << "nobody knows how long it takes";
}

TEST(Waste, OfPrefixesIsWhatTheEngineDidNotFindCached) {
    const LoadEstimate estimate{.prompt_tokens = 1'000, .new_tokens = 200, .output_tokens = 1, .known_tokens = 800};
    const auto again = [&](std::int64_t prompt, std::int64_t cached, bool tells) {
        wire::Usage usage{.prompt_tokens = prompt, .completion_tokens = 1, .cached_tokens = cached};
        usage.tells_cached = tells;
        return recomputed_tokens(estimate, usage);
    };
    EXPECT_EQ(again(1'000, 0, true), 800);
    EXPECT_EQ(again(500, 100, true), 300) << "by the engine's own count of the prompt";
    EXPECT_EQ(again(1'000, 800, true), 0);
    EXPECT_EQ(again(1'000, 760, true), 0) << "less than a block is no more than the guess is off";
    EXPECT_EQ(again(1'000, 0, false), 0) << "an engine that does not tell";
    EXPECT_EQ(recomputed_tokens({}, {.prompt_tokens = 5, .tells_cached = true}), 0);
}

TEST(Overhead, ShowsTheStagesThatCame) {
    metrics::Registry registry;
    auto& family = registry.histogram("o", "", {"stage"}, {1e-3});
    OverheadSeries series;
    for (const auto stage : all_overhead_stages()) series[stage] = &family.with({std::string(to_string(stage))});
    Overhead overhead;
    overhead.add(OverheadStage::Write, std::chrono::microseconds(10));
    overhead.add(OverheadStage::Write, std::chrono::microseconds(20));
    overhead.observe(series);
    EXPECT_NE(registry.text().find("o_count{stage=\"write\"} 1"), std::string::npos) << registry.text();
    EXPECT_NE(registry.text().find("o_count{stage=\"queue\"} 0"), std::string::npos);
    EXPECT_EQ(overhead.spent(OverheadStage::Write), std::chrono::microseconds(30));
}

}  // namespace
}  // namespace stoker::gateway
