// The small pure policies: errors, retries, balancing, routes, trace context, headers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "gateway/balance/balance.h"
#include "gateway/errors.h"
#include "gateway/headers.h"
#include "gateway/route/routes.h"
#include "gateway/trace.h"
#include "gateway/upstream/retry.h"

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Errors, TheDocumentShowsTheTable) {
    std::ifstream file(std::string(STOKER_SOURCE_DIR) + "/docs/errors.md");
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_THAT(text.str(), HasSubstr(error_table_markdown())) << "docs/errors.md should hold:\n"
                                                               << error_table_markdown();
}

TEST(Errors, EachHasItsOwnCode) {
    std::set<std::string_view> codes;
    for (const ErrorInfo& entry : error_table()) {
        EXPECT_TRUE(codes.insert(entry.code).second) << entry.code;
        EXPECT_EQ(&info(entry.error), &entry);
    }
}

TEST(Retry, StatusesByWhoseFaultTheyAre) {
    for (int status : {200, 201, 301, 400, 401, 403, 404, 408, 413, 422, 451})
        EXPECT_FALSE(judge_status(status, 0)) << status;
    EXPECT_TRUE(judge_status(429, 0)->retry);
    EXPECT_FALSE(judge_status(429, 0)->replica_fault);
    for (int status : {500, 502, 503, 504}) {
        EXPECT_TRUE(judge_status(status, 0)->retry) << status;
        EXPECT_TRUE(judge_status(status, 0)->replica_fault) << status;
    }
    EXPECT_FALSE(judge_status(500, 1)->retry);
    EXPECT_FALSE(judge_status(501, 0)->retry);
}

TEST(Retry, BackoffDoublesToItsBoundWithJitter) {
    const RetryOptions options{.backoff_base = 100ms, .backoff_max = 1s};
    EXPECT_EQ(backoff(options, 0, 0), 100ms);
    EXPECT_EQ(backoff(options, 2, 0), 400ms);
    EXPECT_EQ(backoff(options, 2, 0.5), 300ms);
    EXPECT_EQ(backoff(options, 60, 0), 1s);
}

class RoutesTest : public testing::Test {
protected:
    Result<std::shared_ptr<const RouteTable>> build(std::vector<PoolOptions> pools) {
        auto next = RouteTable::build(Routes{std::move(pools)}, *table_, metrics_);
        if (next) table_ = *next;
        return next;
    }

    const Pool& pool() { return *table_->pools()[0]; }
    Replica& replica(std::size_t index) { return *pool().targets[index].replica; }
    std::string picks(int count, std::vector<std::size_t> tried = {}, SteadyTime at = SteadyTime{1h}) {
        std::string text;
        for (int i = 0; i < count; ++i) {
            const auto picked = pick_target(pool(), {.tried = tried, .now = at});
            text += picked ? std::to_string(picked->target) : "-";
        }
        return text;
    }

    metrics::Registry registry_;
    RequestMetrics metrics_{registry_};
    std::shared_ptr<const RouteTable> table_ = std::make_shared<RouteTable>();
};

PoolOptions chat_pool(std::vector<std::string> models = {"tiny"}) {
    return {.name = "chat",
            .models = std::move(models),
            .replicas = {{"http://127.0.0.1:9001"}, {"http://127.0.0.1:9002"}, {"http://127.0.0.1:9003/base/v1/"}}};
}

TEST_F(RoutesTest, LeastOutstandingAndRoundRobinInTies) {
    ASSERT_TRUE(build({chat_pool()}));
    EXPECT_EQ(picks(6), "012012");
    replica(0).begin({});
    replica(1).begin({});
    EXPECT_EQ(picks(3), "222");
    replica(2).begin({});
    replica(2).begin({});
    EXPECT_EQ(picks(4, {0}), "1111");
}

TEST_F(RoutesTest, OnlyServingReplicasArePicked) {
    ASSERT_TRUE(build({chat_pool()}));
    replica(0).eject("test");
    replica(1).drain("");
    EXPECT_EQ(picks(3), "222");
    EXPECT_EQ(picks(1, {2}), "-");
    replica(0).readmit();
    EXPECT_EQ(picks(2, {2}), "00");
}

TEST_F(RoutesTest, RestingReplicasAreTheLastResort) {
    ASSERT_TRUE(build({chat_pool()}));
    replica(0).rest_until(SteadyTime{1h + 5s});
    replica(1).begin({});
    EXPECT_EQ(picks(3, {2}), "111");
    EXPECT_EQ(picks(1, {1, 2}), "0");
    EXPECT_EQ(picks(3, {2}, SteadyTime{1h + 5s}), "000");
}

TEST_F(RoutesTest, AReloadKeepsTheReplicasThatStay) {
    ASSERT_TRUE(build({chat_pool()}));
    const auto before = table_;
    replica(1).eject("test");
    auto changed = chat_pool({"tiny", "other"});
    changed.replicas.erase(changed.replicas.begin());
    changed.replicas.push_back({"http://127.0.0.1:9004"});
    ASSERT_TRUE(build({changed}));
    EXPECT_EQ(&replica(0), before->pools()[0]->targets[1].replica.get());
    EXPECT_FALSE(replica(0).serving());
    EXPECT_EQ(table_->find_replica("chat/127.0.0.1:9001"), nullptr);
    EXPECT_NE(before->find_replica("chat/127.0.0.1:9001"), nullptr);
    EXPECT_THAT(replica(0).status().models, ElementsAre("tiny", "other"));
}

TEST_F(RoutesTest, ABasePathIsKeptAndItsVersionIsNot) {
    ASSERT_TRUE(build({chat_pool()}));
    EXPECT_EQ(pool().targets[0].path_prefix, "");
    EXPECT_EQ(pool().targets[2].path_prefix, "/base");
    EXPECT_EQ(replica(2).id(), "chat/127.0.0.1:9003");
}

TEST_F(RoutesTest, ConflictsAreRefusedAndTheOldTableStays) {
    ASSERT_TRUE(build({chat_pool()}));
    EXPECT_THAT(build({chat_pool({"tiny", "tiny"})}).error().message, HasSubstr("given twice"));
    auto twice = chat_pool();
    twice.replicas.push_back({"http://127.0.0.1:9001/elsewhere"});
    EXPECT_THAT(build({twice}).error().message, HasSubstr("given twice"));
    auto odd = chat_pool();
    odd.replicas.push_back({"ftp://x"});
    EXPECT_THAT(build({odd}).error().message, HasSubstr("pool chat"));
    EXPECT_NE(table_->find("tiny"), nullptr);
}

TEST_F(RoutesTest, ADestinationMayBeAPool) {
    auto spot = chat_pool({"other", "tiny"});
    spot.name = "spot";
    ASSERT_TRUE(build({chat_pool({"tiny", "large"}), spot}));
    const auto led = [this](std::string_view to, std::string_view asked) {
        const ModelRoute* route = table_->find_destination(to, asked);
        return route == nullptr ? std::string("-") : route->pool->name + "/" + route->model;
    };
    EXPECT_EQ(led("tiny", "tiny"), "chat/tiny") << "the first pool that lists it has the name";
    EXPECT_EQ(led("pool:spot", "tiny"), "spot/tiny");
    EXPECT_EQ(led("pool:spot", "large"), "spot/other") << "not listed there: the first that is";
    EXPECT_EQ(led("pool:none", "tiny"), "-");
    EXPECT_EQ(table_->find("pool:spot"), nullptr) << "clients can't say it";
    EXPECT_TRUE(table_->is_destination("pool:spot"));
    EXPECT_FALSE(table_->is_destination("pool:none"));
    EXPECT_THAT(table_->models(), ElementsAre("large", "other", "tiny"));
}

TEST_F(RoutesTest, SuggestsNearNames) {
    ASSERT_TRUE(build({chat_pool({"llama-3-8b", "llama-3-70b", "qwen", "phi"})}));
    EXPECT_THAT(table_->suggestions("lama-3-8b"), ElementsAre("llama-3-8b", "llama-3-70b"));
    EXPECT_THAT(table_->suggestions("qwen2"), ElementsAre("qwen"));
    EXPECT_THAT(table_->suggestions("completely-different"), ElementsAre("llama-3-70b", "llama-3-8b", "phi"));
    EXPECT_EQ(table_->suggestions(std::string(100000, 'x')).size(), 3u);
    EXPECT_EQ(table_->find("lama-3-8b"), nullptr);
}

TEST_F(RoutesTest, ATurnCountsWhateverWayItEnds) {
    ASSERT_TRUE(build({chat_pool()}));
    {
        Turn turn(replica(0), true, SteadyTime{1h});
        turn.progress(SteadyTime{1h});
        turn.flow(SteadyTime{1h});
        turn.pause();
        EXPECT_EQ(replica(0).outstanding(), 1);
        turn.failed("http_503");
    }
    EXPECT_EQ(replica(0).outstanding(), 0);
    EXPECT_EQ(replica(0).status().failures_total, 1);
    // Nothing flows any more, so nothing can stall.
    EXPECT_FALSE(replica(0).on_tick(SteadyTime{3h}));
}

TEST_F(RoutesTest, AClientThatDoesNotReadIsNotTheReplicasStall) {
    ASSERT_TRUE(build({chat_pool()}));
    Turn turn(replica(0), true, SteadyTime{1h});
    turn.progress(SteadyTime{1h});
    turn.flow(SteadyTime{1h});
    turn.pause();
    EXPECT_FALSE(replica(0).on_tick(SteadyTime{1h + 59s}));
    turn.resume(SteadyTime{1h + 59s});
    EXPECT_FALSE(replica(0).on_tick(SteadyTime{1h + 70s}));
    const auto change = replica(0).on_tick(SteadyTime{1h + 75s});
    ASSERT_TRUE(change);
    EXPECT_EQ(change->event.kind, ReplicaEvent::Kind::Hung);
    EXPECT_EQ(change->event.status.state, ReplicaState::Hung);
}

TEST(Trace, RequestIdsAreKeptOnlyIfHarmless) {
    EXPECT_EQ(request_id_from("abc-1_2.3:4"), "abc-1_2.3:4");
    for (std::string_view odd : {"", "a b", "a\nb", "a\"b", "\xc3\xa9"})
        EXPECT_THAT(request_id_from(odd), HasSubstr("req_"));
    EXPECT_THAT(request_id_from(std::string(129, 'a')), HasSubstr("req_"));
    EXPECT_NE(request_id_from({}), request_id_from({}));
}

TEST(Trace, ContinuesAValidTraceWithAnotherSpan) {
    const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    const auto trace = continue_trace(parent);
    EXPECT_EQ(trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_NE(trace.span_id, "00f067aa0ba902b7");
    EXPECT_EQ(trace.flags, "00");
    EXPECT_EQ(trace.traceparent().size(), parent.size());
    EXPECT_EQ(continue_trace("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more").trace_id, trace.trace_id);
}

TEST(Trace, StartsItsOwnIfTheClientsIsOdd) {
    for (std::string_view odd : {"", "00", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-00",
                                 "00-00000000000000000000000000000000-00f067aa0ba902b7-00",
                                 "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-00",
                                 "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
                                 "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more"}) {
        const auto trace = continue_trace(odd);
        EXPECT_EQ(trace.trace_id.size(), 32u);
        EXPECT_NE(trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736") << odd;
    }
}

std::string listed(const net::Headers& headers) {
    std::string text;
    for (const auto& [name, value] : headers) text += name + "=" + value + ";";
    return text;
}

TEST(HeaderRules, UpstreamGetsTheClientsFieldsLessTheConnections) {
    net::RequestHead request;
    request.headers = {{"Host", "gw"},          {"Connection", "close, X-Mine"}, {"X-Mine", "1"},
                       {"Content-Length", "5"}, {"Accept-Encoding", "gzip"},     {"Authorization", "Bearer client"},
                       {"X-Kept", "yes"},       {"Transfer-Encoding", "chunked"}};
    const TraceContext trace{std::string(32, 'a'), std::string(16, 'b'), "01"};
    const std::string own =
        ";x-request-id=req_1;traceparent=00-" + std::string(32, 'a') + "-" + std::string(16, 'b') + "-01;";
    EXPECT_EQ(listed(upstream_headers(request, "req_1", trace.traceparent(), "", ClientCredentials::PassOn)),
              "Authorization=Bearer client;X-Kept=yes" + own);
    EXPECT_EQ(listed(upstream_headers(request, "req_1", trace.traceparent(), "", ClientCredentials::Withhold)),
              "X-Kept=yes" + own);
    EXPECT_EQ(listed(upstream_headers(request, "req_1", trace.traceparent(), "k", ClientCredentials::PassOn)),
              "X-Kept=yes;authorization=Bearer k" + own);
}

TEST(HeaderRules, ClientGetsTheUpstreamsFieldsAndOurMarks) {
    net::ResponseHead upstream;
    upstream.headers = {{"Content-Type", "application/json"},
                        {"Content-Length", "5"},
                        {"X-Request-Id", "theirs"},
                        {"Keep-Alive", "timeout=5"},
                        {"X-Engine", "1"}};
    EXPECT_EQ(listed(client_headers(upstream, {"req_1", "chat/a:1", 2, "tiny"})),
              "Content-Type=application/json;X-Engine=1;x-request-id=req_1;x-stoker-replica=chat/a:1;"
              "x-stoker-attempts=2;x-stoker-model=tiny;");
}

}  // namespace
}  // namespace stoker::gateway
