// Copies of requests: who gets them, what they cost, and that no client notices.
#include <nlohmann/json.hpp>

#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

// `tiny` in pool chat with upstream 0, `next` in pool other with upstream 1, which gets copies of all requests.
void add_shadow(Rig& rig, const std::function<void(ShadowOptions&)>& adjust = {}) {
    rig.add_pool("other", "next");
    ShadowOptions shadow;
    shadow.match.name = "trial";
    shadow.match.to = "next";
    shadow.limits = {.requests_per_minute = 1000, .concurrent_requests = 100};
    if (adjust) adjust(shadow);
    rig.routes().routing.shadows = {shadow};
    EXPECT_TRUE(rig.apply());
}

json trial(Rig& rig) {
    return json::parse(rig.gateway().shadows_json())["shadows"][0];
}

std::vector<records::RequestRecord> copies(const std::vector<records::RequestRecord>& records) {
    std::vector<records::RequestRecord> found;
    for (const auto& record : records) {
        if (!record.shadow.empty()) found.push_back(record);
    }
    return found;
}

TEST(Shadow, TheCopyIsTheRequestAndItsAnswerIsNobodys) {
    Rig rig(1);
    add_shadow(rig);
    rig.upstream(1).play({.events = 12});
    const Reply reply = rig.ask({.headers = {{"Authorization", "Bearer client"}}});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("x-stoker-model"), "tiny");
    EXPECT_EQ(reply.header("x-stoker-attempts"), "1");
    const auto records = rig.records(2);
    ASSERT_EQ(records.size(), 2u);
    const auto mine = copies(records);
    ASSERT_EQ(mine.size(), 1u);
    const auto& copy = mine[0];
    const auto& own = records[0].shadow.empty() ? records[0] : records[1];
    EXPECT_EQ(copy.outcome, "shadow");
    EXPECT_EQ(copy.shadow, "trial");
    EXPECT_EQ(copy.shadow_of, own.id);
    EXPECT_EQ(copy.trace_id, own.trace_id);
    EXPECT_EQ(copy.parent_span_id, own.span_id);
    EXPECT_EQ(copy.model, "next");
    EXPECT_EQ(copy.status, 200);
    EXPECT_EQ(copy.completion_tokens, 12);
    EXPECT_EQ(copy.key_id + copy.tenant + copy.client, "");
    EXPECT_EQ(own.completion_tokens, 3);
    EXPECT_EQ(own.outcome, "ok");
    EXPECT_EQ(own.attempts.size(), 1u);
    EXPECT_THAT(rig.upstream(1).last_body(), HasSubstr(R"("model":"next")"));
    EXPECT_FALSE(rig.upstream(1).last_headers().get("authorization"));
    const json told = trial(rig);
    EXPECT_EQ(told["compared"], 1);
    EXPECT_EQ(told["differences"]["length"], 1) << told;
    EXPECT_EQ(told["last"][0]["request_id"], own.id);
    EXPECT_THAT(rig.registry().text(),
                HasSubstr(R"(stoker_gateway_shadow_requests_total{shadow="trial",result="answered"} 1)"));
}

TEST(Shadow, WhatHappensToItIsNoAffairOfTheClients) {
    const struct {
        const char* what;
        Script script;
        const char* result;
        int compared;
    } rows[] = {
        {"an error", {.act = Act::Status, .status = 500}, "failed", 1},
        {"a refusal", {.act = Act::Status, .status = 400}, "refused", 1},
        {"a reset", {.act = Act::Reset}, "failed", 0},
        {"a cut stream", {.act = Act::Cut, .events = 2}, "failed", 0},
        {"an event that is none", {.act = Act::Malformed}, "failed", 1},
    };
    for (const auto& row : rows) {
        for (const bool stream : {true, false}) {
            Rig rig(1);
            add_shadow(rig);
            rig.upstream(1).play(row.script);
            const Reply reply = rig.ask(stream ? Ask{} : Ask{.body = kWhole});
            EXPECT_EQ(reply.status, 200) << row.what;
            EXPECT_TRUE(reply.clean) << row.what;
            EXPECT_TRUE(eventually([&] { return trial(rig)["in_flight"] == 0; })) << row.what;
            EXPECT_EQ(rig.upstream(1).requests(), 1) << row.what << ": a copy is never tried again";
        }
    }
}

TEST(Shadow, AHangingOneHoldsNobodyUpAndIsBounded) {
    Rig rig(1);
    add_shadow(rig, [](ShadowOptions& shadow) { shadow.limits.concurrent_requests = 3; });
    rig.upstream(1).play({.act = Act::Silent});
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(rig.ask().status, 200);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s) << "copies hang for a minute";
    ASSERT_TRUE(eventually([&] { return rig.upstream(1).requests() == 3; }));
    const json told = trial(rig);
    EXPECT_EQ(told["sent"], 3) << told;
    EXPECT_EQ(told["in_flight"], 3);
    EXPECT_EQ(told["skipped"]["concurrent"], 17);
    EXPECT_EQ(copies(rig.records(20)).size(), 0u);
    rig.gateway().stop();
    EXPECT_EQ(trial(rig)["results"]["cancelled"], 3);
    EXPECT_TRUE(eventually([&] { return rig.upstream(1).left() == 3; }));
    for (const auto& copy : copies(rig.records(23))) EXPECT_EQ(copy.error, "stopping");
}

TEST(Shadow, ADeadlineEndsIt) {
    Rig rig(1);
    add_shadow(rig, [](ShadowOptions& shadow) { shadow.timeout = 50ms; });
    rig.upstream(1).play({.act = Act::Stall, .events = 2});
    EXPECT_EQ(rig.ask().status, 200);
    ASSERT_TRUE(eventually([&] { return trial(rig)["results"]["timed_out"] == 1; })) << trial(rig);
    EXPECT_EQ(trial(rig)["compared"], 0);
    EXPECT_TRUE(eventually([&] { return rig.upstream(1).left() == 1; }));
}

TEST(Shadow, CostsAtMostWhatItMay) {
    const struct {
        const char* what;
        LimitSet limits;
        const char* reason;
        int most;
    } rows[] = {
        {"requests", {.requests_per_minute = 5, .concurrent_requests = 100}, "requests_per_minute", 5},
        {"tokens a day", {.concurrent_requests = 100, .tokens_per_day = 1}, "tokens_per_day", 1},
    };
    for (const auto& row : rows) {
        Rig rig(1);
        add_shadow(rig, [&](ShadowOptions& shadow) { shadow.limits = row.limits; });
        for (int i = 0; i < 12; ++i) {
            EXPECT_EQ(rig.ask().status, 200);
            ASSERT_TRUE(eventually([&] { return trial(rig)["in_flight"] == 0; }));
        }
        const json told = trial(rig);
        EXPECT_EQ(told["sent"], row.most) << row.what << told;
        EXPECT_EQ(told["skipped"][row.reason], 12 - row.most) << row.what << told;
        EXPECT_EQ(rig.upstream(1).requests(), row.most);
    }
}

TEST(Shadow, TheClientsLimitsAreTheClients) {
    Rig rig(1);
    add_shadow(rig);
    rig.gateway().set_limits({.global = {.requests_per_minute = 10}});
    for (int i = 0; i < 10; ++i) EXPECT_EQ(rig.ask().status, 200);
    EXPECT_EQ(rig.ask().status, 429);
    ASSERT_TRUE(eventually([&] { return trial(rig)["results"]["answered"] == 10; }));
    EXPECT_EQ(rig.upstream(1).requests(), 10) << "what is refused is not copied";
}

TEST(Shadow, ConditionsAndShareDecide) {
    Rig rig(1);
    add_shadow(rig, [](ShadowOptions& shadow) {
        shadow.match.headers = {{"x-team", "search"}};
        shadow.percent = 50;
    });
    for (int i = 0; i < 10; ++i) EXPECT_EQ(rig.ask().status, 200);
    EXPECT_EQ(trial(rig)["sent"], 0);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(rig.ask({.headers = {{"x-team", "search"}}}).status, 200);
    const int sent = trial(rig)["sent"];
    EXPECT_GT(sent, 20);  // Both bounds are six standard deviations away.
    EXPECT_LT(sent, 80);
}

// Engines keep responses unless they are told not to.
TEST(Shadow, ResponsesAreCopiedAndTheCopyIsKeptNowhere) {
    Rig rig(1);
    add_shadow(rig);
    const auto ask = [&](const std::string& more) {
        return rig.ask({.body = R"({"model":"tiny","input":"hi")" + more + "}", .path = "/v1/responses"}).status;
    };
    EXPECT_EQ(ask(""), 200);
    ASSERT_TRUE(eventually([&] { return rig.upstream(1).requests() == 1; }));
    EXPECT_EQ(rig.upstream(1).last_body(), R"({"store":false,"model":"next","input":"hi"})");
    EXPECT_THAT(rig.upstream(0).last_body(), testing::Not(HasSubstr("store")));
    EXPECT_EQ(ask(R"(,"store":true)"), 200);
    ASSERT_TRUE(eventually([&] { return rig.upstream(1).requests() == 2; }));
    EXPECT_EQ(rig.upstream(1).last_body(), R"({"model":"next","input":"hi","store":false})");
    EXPECT_THAT(rig.upstream(0).last_body(), HasSubstr(R"("store":true)"));
    EXPECT_EQ(ask(R"(,"background":true)"), 200);
    EXPECT_EQ(trial(rig)["skipped"]["stored"], 1);
    EXPECT_EQ(trial(rig)["sent"], 2);
}

TEST(Shadow, NobodyThereMeansNoCopy) {
    Rig rig(1);
    add_shadow(rig);
    ASSERT_TRUE(rig.gateway().eject(rig.status(1).id, "test"));
    EXPECT_EQ(rig.ask().status, 200);
    EXPECT_EQ(trial(rig)["skipped"]["no_replica"], 1);
    EXPECT_EQ(trial(rig)["sent"], 0);
}

}  // namespace
}  // namespace stoker::gateway::test
