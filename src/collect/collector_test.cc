// Collects from real sockets: servers that answer, lie, hang, drip and die.
#include "collect/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "collect/testing.h"
#include "net/async.h"
#include "net/loops.h"
#include "net/server.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;
using testing::RememberingSink;

bool eventually(const std::function<bool()>& holds) {
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (std::chrono::steady_clock::now() < limit) {
        if (holds()) return true;
        std::this_thread::yield();
    }
    return false;
}

constexpr std::string_view kVllmPage =
    "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{engine=\"0\",model_name=\"m\"} 2\n";

enum class Mood { Vllm, WithoutMetrics, Json, Hang, Drip, Huge };

// An engine of sorts.
class FakeEngine {
public:
    explicit FakeEngine(Mood first) : mood(first) {
        loops_.start();
        net::ServerOptions options;
        options.name = "fake";
        options.listen = "127.0.0.1:0";
        auto opened = net::Server::open(
            loops_, options, [this](net::Exchange& exchange) { return serve(*this, exchange); }, registry_);
        if (!opened) throw std::runtime_error(opened.error().message);
        server_ = *std::move(opened);
    }
    ~FakeEngine() { stop(); }
    void stop() {
        if (server_) server_->stop(Duration{0});
        server_.reset();
    }
    std::string url() const { return "http://" + address(); }
    std::string address() const { return server_->address(); }
    std::uint16_t port() const {
        return static_cast<std::uint16_t>(std::stoi(address().substr(address().rfind(':') + 1)));
    }

    std::atomic<Mood> mood;
    std::atomic<int> requests{0};

private:
    static asio::awaitable<void> serve(FakeEngine& self, net::Exchange& exchange) {
        ++self.requests;
        Mood mood = self.mood;
        if (mood == Mood::Hang) {
            while (!exchange.client_gone()) (void)co_await net::sleep_for(Duration{20});
            co_return exchange.abort();
        }
        std::string path(exchange.request().path());
        net::Response response;
        if (path == "/v1/models")
            response.body = R"({"data":[{"id":"m","owned_by":"vllm"}]})";
        else if (path == "/version")
            response.body = R"({"version":"9.9"})";
        else if (path == "/metrics" && mood == Mood::Vllm)
            response.body = kVllmPage;
        else if (path == "/metrics" && mood == Mood::Json)
            response.body = "[]";
        else if (path == "/metrics" && mood == Mood::Huge)
            response.body.assign(200'000, '#');
        else if (path == "/metrics" && mood == Mood::Drip)
            co_return co_await drip(exchange);
        else
            response.status = 404;
        (void)co_await exchange.respond(std::move(response));
    }
    static asio::awaitable<void> drip(net::Exchange& exchange) {
        (void)co_await exchange.start({});
        for (int i = 0; i < 1000; ++i) {
            auto written = co_await exchange.write("# a comment\n");
            if (!written) co_return;
            (void)co_await net::sleep_for(Duration{20});
        }
    }

    net::Loops loops_{1};
    metrics::Registry registry_;
    std::unique_ptr<net::Server> server_;
};

CollectOptions quick() {
    CollectOptions options;
    options.interval = Duration{100};
    options.timeout = Duration{100};
    options.max_body = 100'000;
    options.self = options.discover = false;
    return options;
}

class Collecting {
public:
    explicit Collecting(CollectOptions options) {
        loops_.start();
        collector = Collector::create(loops_.at(0), std::move(options), sink, registry);
        collector->start();
    }
    ~Collecting() {
        collector.reset();
        loops_.stop();
    }
    std::string of(const FakeEngine& engine, const std::string& metric) const {
        return sink.newest(metric + "{engine=\"vllm\",instance=\"" + engine.address() + "\"}");
    }
    TargetStatus status(const std::string& url) const {
        for (auto& target : collector->targets()) {
            if (target.url == url) return target;
        }
        return {};
    }

    RememberingSink sink;
    metrics::Registry registry;
    std::unique_ptr<Collector> collector;

private:
    net::Loops loops_{1};
};

TEST(Collector, ScrapesAndKnowsWhatItScrapes) {
    FakeEngine engine(Mood::Vllm);
    Collecting collecting(quick());
    ASSERT_TRUE(collecting.collector->apply(
        {{.url = engine.url(), .kind = {}, .pool = "chat", .replica = "chat/a", .metrics_path = {}, .bearer = {}}}));
    EXPECT_TRUE(eventually([&] { return collecting.status(engine.url()).up; }));
    TargetStatus status = collecting.status(engine.url());
    EXPECT_EQ(status.kind, "vllm");
    EXPECT_EQ(status.version, "9.9");
    EXPECT_EQ(status.models, std::vector<std::string>{"m"});
    EXPECT_EQ(status.samples, 1);
    std::string labels = "engine=\"vllm\",instance=\"" + engine.address() +
                         "\",model=\"m\",pool=\"chat\",replica=\"chat/a\",source=\"native\"";
    EXPECT_TRUE(eventually([&] {
        return collecting.sink.newest("llm_engine_requests_running{" + labels + "}") == "2";
    })) << collecting.sink.dump();
}

TEST(Collector, DeadAndBornAgain) {
    auto engine = std::make_unique<FakeEngine>(Mood::Vllm);
    Collecting collecting(quick());
    std::string url = engine->url();
    ASSERT_TRUE(collecting.collector->apply({{url, "vllm", {}, {}, {}, {}}}));
    EXPECT_TRUE(eventually([&] { return collecting.of(*engine, "up") == "1"; }));
    engine->mood = Mood::Json;
    EXPECT_TRUE(eventually([&] { return collecting.of(*engine, "up") == "0"; }));
    EXPECT_EQ(collecting.of(*engine, "llm_engine_up"), "1");
    EXPECT_FALSE(collecting.status(url).error.empty());
    engine->mood = Mood::Vllm;
    EXPECT_TRUE(eventually([&] { return collecting.of(*engine, "up") == "1"; }));
    std::string up = "up{engine=\"vllm\",instance=\"" + engine->address() + "\"}";
    engine->stop();
    EXPECT_TRUE(eventually([&] { return collecting.sink.newest("llm_engine_" + up) == "0"; }));
    EXPECT_FALSE(collecting.status(url).answered);
}

TEST(Collector, MetricsSwitchedOffIsNotDown) {
    FakeEngine engine(Mood::WithoutMetrics);
    Collecting collecting(quick());
    ASSERT_TRUE(collecting.collector->apply({{engine.url(), "", {}, {}, {}, {}}}));
    EXPECT_TRUE(eventually([&] { return collecting.of(engine, "llm_engine_up") == "1"; }));
    EXPECT_EQ(collecting.of(engine, "up"), "0");
    EXPECT_THAT(collecting.status(engine.url()).error, HasSubstr("404"));
}

TEST(Collector, SlowHugeAndDeadTargetsDelayNobody) {
    FakeEngine hung(Mood::Hang);
    FakeEngine dripping(Mood::Drip);
    FakeEngine huge(Mood::Huge);
    FakeEngine good(Mood::Vllm);
    Collecting collecting(quick());
    ASSERT_TRUE(collecting.collector->apply({{hung.url(), "vllm", {}, {}, {}, {}},
                                             {dripping.url(), "vllm", {}, {}, {}, {}},
                                             {huge.url(), "vllm", {}, {}, {}, {}},
                                             {good.url(), "vllm", {}, {}, {}, {}}}));
    int before = good.requests;
    auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(eventually([&] { return good.requests > before + 10; }));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{4});
    EXPECT_TRUE(eventually([&] {
        return collecting.of(hung, "llm_engine_up") == "0" && collecting.of(dripping, "up") == "0" &&
               collecting.of(huge, "up") == "0";
    })) << collecting.sink.dump();
    EXPECT_THAT(collecting.status(huge.url()).error, HasSubstr("larger than"));
}

TEST(Collector, RemovedTargetEndsItsSeries) {
    FakeEngine engine(Mood::Vllm);
    Collecting collecting(quick());
    ASSERT_TRUE(collecting.collector->apply({{engine.url(), "vllm", {}, {}, {}, {}}}));
    EXPECT_TRUE(eventually([&] { return collecting.of(engine, "up") == "1"; }));
    ASSERT_TRUE(collecting.collector->apply({}));
    EXPECT_TRUE(eventually([&] { return collecting.of(engine, "up") == "stale"; }));
    EXPECT_TRUE(eventually([&] { return collecting.collector->targets().empty(); }));
    EXPECT_FALSE(collecting.collector->apply({{"nonsense", {}, {}, {}, {}, {}}}).has_value());
}

TEST(Collector, FindsEnginesButNotItsOwnListeners) {
    FakeEngine engine(Mood::Vllm);
    FakeEngine own(Mood::Vllm);
    CollectOptions options = quick();
    options.discover = true;
    options.discover_interval = Duration{100};
    options.discover_ports = {engine.port(), own.port()};
    options.own_ports = {own.port()};
    Collecting collecting(options);
    EXPECT_TRUE(eventually([&] { return collecting.status("http://127.0.0.1:" + std::to_string(engine.port())).up; }));
    EXPECT_TRUE(collecting.status("http://127.0.0.1:" + std::to_string(engine.port())).discovered);
    EXPECT_EQ(own.requests, 0);
    // Configured later under another spelling: scraped once, under its configured name.
    std::string spelling = "http://localhost:" + std::to_string(engine.port());
    ASSERT_TRUE(collecting.collector->apply({{spelling, {}, "chat", "chat/a", {}, {}}}));
    EXPECT_TRUE(eventually([&] { return collecting.status(spelling).up; }));
    EXPECT_EQ(collecting.status("http://127.0.0.1:" + std::to_string(engine.port())).url, "");
}

TEST(Collector, Itself) {
    CollectOptions options = quick();
    options.self = true;
    Collecting collecting(options);
    collecting.registry.counter("stoker_test_total", "A test.", {"a"}).with({"b"}).add(3);
    EXPECT_TRUE(
        eventually([&] { return collecting.sink.newest("stoker_test_total{a=\"b\",instance=\"stoker\"}") == "3"; }));
}

TEST(Collector, StopsQuicklyWhileATargetHangs) {
    FakeEngine hung(Mood::Hang);
    CollectOptions options = quick();
    options.interval = options.timeout = Duration{60'000};
    auto collecting = std::make_unique<Collecting>(options);
    ASSERT_TRUE(collecting->collector->apply({{hung.url(), "vllm", {}, {}, {}, {}}}));
    EXPECT_TRUE(eventually([&] { return hung.requests > 0; }));
    auto began = std::chrono::steady_clock::now();
    collecting.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{2});
}

}  // namespace
}  // namespace stoker::collect
