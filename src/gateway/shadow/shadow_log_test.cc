#include "gateway/shadow/shadow_log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stoker::gateway {
namespace {

constexpr std::int64_t kMs = 1'000'000;

ShadowSide side(int status, std::int64_t tokens, std::int64_t ms = 100, const char* finish = "stop") {
    return {.status = status,
            .finish_reason = finish,
            .completion_tokens = tokens,
            .ttft_ns = ms * kMs / 10,
            .duration_ns = ms * kMs};
}

ShadowPair pair_of(ShadowSide client, ShadowSide copy) {
    return {.request_id = "r", .client = std::move(client), .copy = std::move(copy)};
}

TEST(ShadowLog, TellsWhatDiffers) {
    const struct {
        const char* what;
        ShadowSide client;
        ShadowSide copy;
        bool status;
        bool finish;
        bool length;
    } rows[] = {
        {"the same", side(200, 50), side(200, 50), false, false, false},
        {"slower is no difference", side(200, 50, 100), side(200, 50, 900), false, false, false},
        {"a little longer", side(200, 50), side(200, 60), false, false, false},
        {"much longer", side(200, 50), side(200, 80), false, false, true},
        {"much shorter", side(200, 50), side(200, 30), false, false, true},
        {"twice as long, but few", side(200, 2), side(200, 4), false, false, false},
        {"another end", side(200, 50), side(200, 50, 100, "length"), false, true, false},
        {"an error, whatever else", side(200, 50), side(500, 0, 1, ""), true, false, false},
    };
    for (const auto& row : rows) {
        const auto found = compare(row.client, row.copy);
        EXPECT_EQ(found.status, row.status) << row.what;
        EXPECT_EQ(found.finish_reason, row.finish) << row.what;
        EXPECT_EQ(found.length, row.length) << row.what;
    }
}

TEST(ShadowLog, ComparesOnlyWhatBothSidesSawToTheEnd) {
    ShadowLog log;
    ShadowPair half{.request_id = "r", .client = side(200, 5)};
    EXPECT_FALSE(log.look(half, now()));
    half.copy = side(200, 5);
    half.comparable = false;
    EXPECT_FALSE(log.look(half, now()));
    EXPECT_EQ(log.to_json()["compared"], 0);
}

TEST(ShadowLog, CountsAndKeepsTheLastDifferences) {
    ShadowLog log;
    for (int i = 0; i < 30; ++i) {
        log.started();
        log.ended(ShadowEnd::Answered, 10, 20);
        ASSERT_TRUE(log.look(pair_of(side(200, 20, 100), side(i % 2 == 0 ? 200 : 500, 20, 200)), now()));
    }
    log.started();
    log.skipped(ShadowSkip::Concurrent);
    const auto told = log.to_json();
    EXPECT_EQ(told["sent"], 31);
    EXPECT_EQ(told["in_flight"], 1);
    EXPECT_EQ(told["results"]["answered"], 30);
    EXPECT_EQ(told["skipped"]["concurrent"], 1);
    EXPECT_EQ(told["compared"], 30);
    EXPECT_EQ(told["differences"]["status"], 15);
    EXPECT_EQ(told["tokens"]["prompt"], 300);
    EXPECT_EQ(told["last"].size(), 15u);
    EXPECT_NEAR(told["client"]["duration_p50_seconds"].get<double>(), 0.1, 0.01);
    EXPECT_NEAR(told["copy"]["duration_p50_seconds"].get<double>(), 0.2, 0.02);
    EXPECT_EQ(told["copy"]["completion_tokens_mean"], 20);
}

}  // namespace
}  // namespace stoker::gateway
