// Talks to a simulated engine over real sockets.
#include "twin/sim_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <nlohmann/json.hpp>

#include "net/async.h"
#include "net/client.h"
#include "net/sse.h"

namespace stoker::twin {
namespace {

namespace asio = boost::asio;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

struct Reply {
    int status = 0;
    net::Headers headers;
    std::string body;  // What came, even if the end was missing.
    net::Fault fault = net::Fault::None;
    bool cancelled = false;
};

asio::awaitable<Reply> exchange(net::Client* client, net::Url url, std::string method, std::string body,
                                Duration patience) {
    net::ClientRequest request{.method = method, .target = url.path, .headers = {}, .body = body};
    if (!body.empty()) request.headers.add("Content-Type", "application/json");
    net::Deadlines deadlines{.connect = Duration{2000}, .head = patience, .between = patience};
    auto call = co_await client->send(url, std::move(request), deadlines);
    Reply reply;
    if (!call) {
        reply.fault = net::fault_of(call.error());
        co_return reply;
    }
    reply.status = (*call)->head().status;
    reply.headers = (*call)->head().headers;
    while (true) {
        auto piece = co_await (*call)->read_some();
        if (!piece) reply.fault = net::fault_of(piece.error());
        if (!piece || piece->empty()) co_return reply;
        reply.body += *piece;
    }
}

class Engine {
public:
    explicit Engine(SimOptions options = {}, std::size_t loops = 1) : loops_(loops) {
        options.model = "sim";
        options.exit = [this](int code) { exit_code = code; };
        loops_.start();
        auto opened = SimEngine::open(loops_, std::move(options), registry_);
        if (!opened) throw std::runtime_error(opened.error().message);
        engine_ = *std::move(opened);
        client_loops_.start();
        client_ = net::Client::create(client_loops_.at(0));
    }
    ~Engine() {
        client_loops_.stop();
        engine_.reset();
        loops_.stop();
    }

    std::future<Reply> start(const std::string& method, const std::string& path, const json& body = nullptr,
                             Duration patience = Duration{5000}) {
        auto url = net::parse_url("http://" + engine_->address() + path);
        return asio::co_spawn(client_loops_.at(0),
                              exchange(client_.get(), *url, method, body.is_null() ? "" : body.dump(), patience),
                              asio::use_future);
    }
    Reply get(const std::string& path, Duration patience = Duration{5000}) {
        return start("GET", path, nullptr, patience).get();
    }
    Reply post(const std::string& path, const json& body, Duration patience = Duration{5000}) {
        return start("POST", path, body, patience).get();
    }
    void fault(const json& body) {
        Reply reply = post("/sim/faults", body);
        ASSERT_EQ(reply.status, 200) << reply.body;
    }

    std::atomic<int> exit_code{-1};

private:
    metrics::Registry registry_;
    net::Loops loops_;
    net::Loops client_loops_{1};
    std::unique_ptr<SimEngine> engine_;
    std::unique_ptr<net::Client> client_;
};

json chat(int max_tokens, bool stream = false) {
    json body{{"model", "sim"},
              {"messages", {{{"role", "user"}, {"content", "Say something."}}}},
              {"max_tokens", max_tokens},
              {"stream", stream}};
    if (stream) body["stream_options"] = {{"include_usage", true}};
    return body;
}

std::string words(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += (i ? " w" : "w") + std::to_string(i);
    return text;
}

// What a stream said.
struct Told {
    std::string text;
    std::string finish;
    int tokens = 0;
    json usage;
    bool done = false;
    int malformed = 0;
};

Told told(const std::string& body) {
    Told out;
    net::SseParser parser;
    auto fed = parser.feed(body, [&out](const net::SseEvent& event) {
        if (event.data == "[DONE]") {
            out.done = true;
            return;
        }
        json data = json::parse(event.data, nullptr, false);
        if (data.is_discarded()) {
            ++out.malformed;
            return;
        }
        if (data.contains("usage")) out.usage = data["usage"];
        for (const auto& choice : data["choices"]) {
            std::string text =
                choice.contains("delta") ? choice["delta"].value("content", "") : choice.value("text", "");
            out.text += text;
            out.tokens += !text.empty();
            if (choice["finish_reason"].is_string()) out.finish = choice["finish_reason"];
        }
    });
    EXPECT_TRUE(fed.has_value());
    return out;
}

double metric(Engine& engine, const std::string& line_start) {
    std::string text = engine.get("/metrics").body;
    auto at = text.find("\n" + line_start);
    return at == std::string::npos ? -1 : std::stod(text.substr(text.find("} ", at) + 2));
}

bool eventually(const std::function<bool()>& holds) {
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    while (std::chrono::steady_clock::now() < limit) {
        if (holds()) return true;
        std::this_thread::yield();
    }
    return false;
}

class EveryProfile : public ::testing::TestWithParam<const char*> {
protected:
    Engine engine{[] {
                      SimOptions options;
                      options.profile = GetParam();
                      return options;
                  }(),
                  2};
};
INSTANTIATE_TEST_SUITE_P(SimEngine, EveryProfile, ::testing::Values("instant", "tiny"));

TEST_P(EveryProfile, WholeAnswer) {
    Reply reply = engine.post("/v1/chat/completions", chat(5));
    ASSERT_EQ(reply.status, 200) << reply.body;
    json answer = json::parse(reply.body);
    EXPECT_EQ(answer["object"], "chat.completion");
    EXPECT_EQ(answer["choices"][0]["message"]["content"], words(5));
    EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
    EXPECT_EQ(answer["usage"]["completion_tokens"], 5);
    EXPECT_EQ(answer["usage"]["prompt_tokens"], 8);
}

TEST_P(EveryProfile, StreamSaysEveryTokenOnce) {
    Reply reply = engine.post("/v1/chat/completions", chat(40, true));
    ASSERT_EQ(reply.status, 200);
    Told stream = told(reply.body);
    EXPECT_EQ(stream.text, profiles()[GetParam() == std::string("tiny")].default_output < 40 ? words(16) : words(40));
    EXPECT_TRUE(stream.done);
    EXPECT_EQ(stream.usage["completion_tokens"], stream.tokens);
    EXPECT_EQ(reply.fault, net::Fault::None);
}

TEST_P(EveryProfile, CompletionGoesOnWhereThePromptEnds) {
    Reply reply =
        engine.post("/v1/completions", {{"model", "sim"}, {"prompt", "w0 w1 w2"}, {"max_tokens", 3}, {"stream", true}});
    Told stream = told(reply.body);
    EXPECT_EQ(stream.text, " w3 w4 w5");
    EXPECT_TRUE(stream.usage.is_null());
}

TEST_P(EveryProfile, CountersTellTheSameAsTheAnswers) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(engine.post("/v1/chat/completions", chat(5, i == 1)).status, 200);
    const std::string labels = "{engine=\"0\",model_name=\"sim\"} ";
    EXPECT_TRUE(eventually([&] { return metric(engine, "vllm:e2e_request_latency_seconds_count") == 3; }));
    EXPECT_EQ(metric(engine, "vllm:generation_tokens_total" + labels), 15);
    EXPECT_EQ(metric(engine, "vllm:prompt_tokens_total" + labels), 24);
    EXPECT_EQ(metric(engine, "vllm:num_requests_running" + labels), 0);
    EXPECT_EQ(metric(engine, "vllm:num_requests_waiting" + labels), 0);
    EXPECT_EQ(metric(engine, "vllm:request_success_total{engine=\"0\",finished_reason=\"length\""), 3);
    EXPECT_EQ(metric(engine, "vllm:time_to_first_token_seconds_count"), 3);
}

TEST_P(EveryProfile, RefusesAsVllmDoes) {
    json unknown = chat(1);
    unknown["model"] = "other";
    Reply reply = engine.post("/v1/chat/completions", unknown);
    EXPECT_EQ(reply.status, 404);
    EXPECT_EQ(json::parse(reply.body)["error"]["message"], "The model `other` does not exist.");
    EXPECT_EQ(json::parse(reply.body)["error"]["code"], 404);

    reply = engine.post("/v1/chat/completions", chat(1 << 21));
    EXPECT_EQ(reply.status, 400);
    EXPECT_THAT(reply.body, HasSubstr("maximum context length"));

    EXPECT_EQ(engine.post("/v1/chat/completions", json::array()).status, 400);
    EXPECT_EQ(engine.post("/v1/chat/completions", {{"model", "sim"}}).status, 400);
    EXPECT_EQ(engine.get("/v1/chat/completions").status, 405);
    EXPECT_EQ(engine.get("/nothing").status, 404);
}

TEST_P(EveryProfile, CutStreamEndsWithoutACleanEnd) {
    engine.fault({{"kind", "cut_stream"}, {"after_tokens", 3}, {"count", 1}});
    Reply reply = engine.post("/v1/chat/completions", chat(10, true));
    EXPECT_NE(reply.fault, net::Fault::None);
    EXPECT_EQ(told(reply.body).text, words(3));
    EXPECT_EQ(told(engine.post("/v1/chat/completions", chat(10, true)).body).text, words(10));
}

TEST_P(EveryProfile, StallHoldsTheStreamUntilTheClientLeaves) {
    engine.fault({{"kind", "stall_stream"}, {"after_tokens", 2}});
    Reply reply = engine.post("/v1/chat/completions", chat(10, true), Duration{300});
    EXPECT_EQ(reply.fault, net::Fault::BodyTimeout);
    EXPECT_EQ(told(reply.body).text, words(2));
}

TEST_P(EveryProfile, HangKeepsHealthAndGoesOnWhenCleared) {
    engine.fault({{"kind", "hang"}});
    auto waiting = engine.start("POST", "/v1/chat/completions", chat(5, true));
    EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds{200}), std::future_status::timeout);
    EXPECT_EQ(engine.get("/health").status, 200);
    EXPECT_EQ(metric(engine, "vllm:generation_tokens_total"), 0);
    EXPECT_EQ(engine.start("DELETE", "/sim/faults?kind=hang").get().status, 200);
    EXPECT_EQ(told(waiting.get().body).text, words(5));
}

TEST_P(EveryProfile, ClientOfAHungEngineMayLeave) {
    engine.fault({{"kind", "hang"}});
    EXPECT_NE(engine.post("/v1/chat/completions", chat(5), Duration{100}).fault, net::Fault::None);
    EXPECT_TRUE(eventually([&] {
        return metric(engine, "vllm:request_success_total{engine=\"0\",finished_reason=\"abort\"") == 1 &&
               metric(engine, "vllm:num_requests_running") == 0;
    }));
}

TEST_P(EveryProfile, HangAllSilencesHealthToo) {
    engine.fault({{"kind", "hang_all"}, {"for", "400ms"}});
    EXPECT_EQ(engine.get("/health", Duration{100}).fault, net::Fault::HeadTimeout);
    EXPECT_EQ(engine.get("/health").status, 200);  // It ends by itself.
}

TEST_P(EveryProfile, AnswersWrongOnDemand) {
    engine.fault({{"kind", "error_rate"}, {"status", 503}, {"count", 1}});
    EXPECT_EQ(engine.post("/v1/chat/completions", chat(1)).status, 503);
    engine.fault({{"kind", "rate_limit"}, {"retry_after", "3s"}, {"count", 1}});
    Reply limited = engine.post("/v1/chat/completions", chat(1));
    EXPECT_EQ(limited.status, 429);
    EXPECT_EQ(limited.headers.get("retry-after"), "3");
    // A request that fails on a reused connection is sent once more, so it takes two.
    engine.fault({{"kind", "reset_before_headers"}, {"count", 2}});
    EXPECT_EQ(engine.post("/v1/chat/completions", chat(1)).fault, net::Fault::ResetBeforeHead);
    EXPECT_EQ(engine.post("/v1/chat/completions", chat(1)).status, 200);

    engine.fault({{"kind", "missing_done"}, {"count", 1}});
    Told stream = told(engine.post("/v1/chat/completions", chat(4, true)).body);
    EXPECT_FALSE(stream.done);
    EXPECT_EQ(stream.text, words(4));
    engine.fault({{"kind", "no_usage"}, {"count", 1}});
    EXPECT_TRUE(told(engine.post("/v1/chat/completions", chat(4, true)).body).usage.is_null());
    engine.fault({{"kind", "wrong_usage"}, {"factor", 3}, {"count", 1}});
    EXPECT_EQ(told(engine.post("/v1/chat/completions", chat(4, true)).body).usage["completion_tokens"], 12);
    engine.fault({{"kind", "malformed_event"}, {"after_tokens", 2}, {"count", 1}});
    stream = told(engine.post("/v1/chat/completions", chat(4, true)).body);
    EXPECT_EQ(stream.malformed, 1);
    EXPECT_EQ(stream.text, words(4));
}

TEST_P(EveryProfile, CrashExitsLikeAKilledProcess) {
    engine.post("/sim/faults", {{"kind", "crash"}});
    EXPECT_TRUE(eventually([&] { return engine.exit_code == 137; }));
}

TEST_P(EveryProfile, UnknownFaultsAreRefusedWithTheKnownOnes) {
    Reply reply = engine.post("/sim/faults", {{"kind", "meteor"}});
    EXPECT_EQ(reply.status, 400);
    EXPECT_THAT(reply.body, HasSubstr("cut_stream"));
    reply = engine.post("/sim/faults", {{"kind", "hang"}, {"after_tokens", 2}});
    EXPECT_EQ(reply.status, 400);
    EXPECT_THAT(reply.body, HasSubstr("valid: kind, for"));
    EXPECT_EQ(json::parse(engine.get("/sim/faults").body)["faults"].size(), 0u);
}

TEST(SimEngine, LeavingClientFreesItsPlace) {
    Engine engine;
    json body = chat(2000, true);
    body["ignore_eos"] = true;
    engine.fault({{"kind", "latency_ramp"}, {"to", 1000}, {"over", 0}});
    Reply reply = engine.post("/v1/chat/completions", body, Duration{300});
    EXPECT_NE(reply.fault, net::Fault::None);
    EXPECT_TRUE(eventually([&] { return metric(engine, "vllm:num_requests_running") == 0; }));
    EXPECT_EQ(metric(engine, "vllm:request_success_total{engine=\"0\",finished_reason=\"abort\""), 1);
}

TEST(SimEngine, FullCacheMakesRequestsWait) {
    Engine engine;
    engine.fault({{"kind", "kv_exhausted"}});
    auto waiting = engine.start("POST", "/v1/chat/completions", chat(5));
    EXPECT_TRUE(eventually([&] {
        return metric(engine, "vllm:num_requests_waiting") == 1 && metric(engine, "vllm:kv_cache_usage_perc") == 1;
    }));
    engine.start("DELETE", "/sim/faults").get();
    EXPECT_EQ(waiting.get().status, 200);
}

TEST(SimEngine, ManyAtOnceLoseNothing) {
    Engine engine({}, 2);
    std::vector<std::future<Reply>> replies;
    for (int i = 0; i < 60; ++i) {
        json body = chat(30 + i, i % 2 == 0);
        body["ignore_eos"] = true;
        replies.push_back(engine.start("POST", "/v1/chat/completions", body, Duration{20'000}));
    }
    for (int i = 0; i < 60; ++i) {
        Reply reply = replies[i].get();
        ASSERT_EQ(reply.status, 200) << reply.body;
        std::string text = i % 2 == 0 ? told(reply.body).text
                                      : json::parse(reply.body)["choices"][0]["message"]["content"].get<std::string>();
        EXPECT_EQ(text, words(30 + i));
    }
    EXPECT_TRUE(eventually([&] { return metric(engine, "vllm:kv_cache_usage_perc") == 0; }));
}

TEST(SimEngine, AsksForItsKey) {
    SimOptions options;
    options.api_key = "secret";
    Engine engine(options);
    EXPECT_EQ(engine.post("/v1/chat/completions", chat(1)).status, 401);
    EXPECT_EQ(engine.get("/health").status, 200);
}

TEST(SimEngine, StateAndModels) {
    Engine engine;
    EXPECT_EQ(json::parse(engine.get("/v1/models").body)["data"][0]["owned_by"], "vllm");
    EXPECT_EQ(json::parse(engine.get("/version").body)["version"], "0.11.0");
    EXPECT_THAT(engine.get("/metrics").body, HasSubstr("# TYPE vllm:num_requests_running gauge"));
    json embedding = json::parse(engine.post("/v1/embeddings", {{"model", "sim"}, {"input", {"a", "b"}}}).body);
    EXPECT_EQ(embedding["data"].size(), 2u);
    EXPECT_EQ(embedding["data"][1]["embedding"].size(), 64u);
    EXPECT_THAT(engine.get("/metrics").body, testing::ContainsRegex("vllm:generation_tokens_total[^\n]* 0\n"))
        << "no token of an embedding is generated";
}

}  // namespace
}  // namespace stoker::twin
