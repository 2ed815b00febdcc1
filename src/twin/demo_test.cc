// Traffic and faults against a simulated engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/loops.h"
#include "twin/demo_traffic.h"
#include "twin/fault_schedule.h"
#include "twin/faults.h"
#include "twin/sim_engine.h"

namespace stoker::twin {
namespace {

bool eventually(const std::function<bool()>& holds) {
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (std::chrono::steady_clock::now() < limit) {
        if (holds()) return true;
        std::this_thread::yield();
    }
    return false;
}

class DemoTest : public ::testing::Test {
protected:
    DemoTest() {
        loops_.start();
        SimOptions options;
        options.profile = "instant";
        options.exit = [this](int) { ++crashes; };
        engine_ = *SimEngine::open(loops_, std::move(options), registry_);
    }
    ~DemoTest() override {
        engine_.reset();
        loops_.stop();
    }
    std::string url() const { return "http://" + engine_->address(); }

    std::atomic<int> crashes{0};
    metrics::Registry registry_;
    net::Loops loops_{2};
    std::unique_ptr<SimEngine> engine_;
};

DemoTrafficOptions traffic_to(const std::string& url) {
    DemoTrafficOptions options;
    options.gateway = url;
    options.models = {"sim"};
    return options;
}

TEST_F(DemoTest, OpenLoopKeepsItsPaceAndSucceeds) {
    auto options = traffic_to(url());
    options.rate = 200;
    auto traffic = DemoTraffic::create(loops_.at(1), options);
    ASSERT_TRUE(traffic.has_value());
    (*traffic)->start();
    EXPECT_TRUE(eventually([&] { return (*traffic)->stats().ok >= 100; }));
    (*traffic)->stop();
    auto stats = (*traffic)->stats();
    EXPECT_EQ(stats.failed, 0u);
    EXPECT_EQ(stats.under_way, 0u);
    EXPECT_GT(stats.completion_tokens, stats.ok * 10);
}

TEST_F(DemoTest, ClosedLoopSurvivesFaultsAndStopsWhileTheEngineHangs) {
    auto options = traffic_to(url());
    options.rate = 0;
    options.max_concurrent = 8;
    auto traffic = DemoTraffic::create(loops_.at(1), options);
    (*traffic)->start();
    EXPECT_TRUE(eventually([&] { return (*traffic)->stats().ok >= 50; }));

    FaultScheduleOptions schedule;
    schedule.engines = {url()};
    schedule.first = Duration{1};
    schedule.every = Duration{50};
    schedule.faults = {R"({"kind":"error_rate","probability":0.5})", R"({"kind":"crash"})", R"({"kind":"hang"})"};
    std::atomic<int> set{0};
    std::atomic<int> refused{0};
    schedule.on_fault = [&](const std::string&, const std::string&, const std::string& error) {
        ++(error.empty() ? set : refused);
    };
    auto faults = FaultSchedule::create(loops_.at(1), schedule);
    ASSERT_TRUE(faults.has_value());
    (*faults)->start();
    EXPECT_TRUE(eventually([&] { return set >= 3; }));
    EXPECT_EQ(crashes, 1);
    EXPECT_EQ(refused, 0);
    EXPECT_TRUE(eventually([&] { return (*traffic)->stats().under_way == 8; }));
    auto began = std::chrono::steady_clock::now();
    (*faults)->stop();
    (*traffic)->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{2});
}

TEST_F(DemoTest, RefusesNonsense) {
    EXPECT_FALSE(DemoTraffic::create(loops_.at(0), traffic_to("nowhere")).has_value());
    FaultScheduleOptions schedule;
    EXPECT_FALSE(FaultSchedule::create(loops_.at(0), schedule).has_value());
    schedule.engines = {url()};
    schedule.faults = {R"({"kind":"meteor"})"};
    EXPECT_FALSE(FaultSchedule::create(loops_.at(0), schedule).has_value());
}

TEST(Faults, UsualOnesAreValidAndReadBack) {
    Faults faults(1);
    SteadyTime now{};
    for (const auto& text : usual_faults()) {
        auto fault = parse_fault(text);
        ASSERT_TRUE(fault.has_value()) << text;
        faults.add(*fault, now);
    }
    EXPECT_THAT(faults.json(now), ::testing::HasSubstr("latency_ramp"));
}

TEST(Faults, EndByCountAndByTime) {
    Faults faults(1);
    SteadyTime now{};
    faults.add(*parse_fault(R"({"kind":"error_rate","status":502,"count":2})"), now);
    faults.add(*parse_fault(R"({"kind":"hang","for":"10s"})"), now);
    faults.add(*parse_fault(R"({"kind":"latency_ramp","to":5,"over":"10s"})"), now);
    EXPECT_EQ(faults.draw(now).error_status, 502);
    EXPECT_EQ(faults.draw(now).error_status, 502);
    EXPECT_FALSE(faults.draw(now).error_status);
    EXPECT_TRUE(faults.hangs(now + std::chrono::seconds{9}));
    EXPECT_FALSE(faults.hangs(now + std::chrono::seconds{10}));
    EXPECT_DOUBLE_EQ(faults.slowdown(now), 1);
    EXPECT_DOUBLE_EQ(faults.slowdown(now + std::chrono::seconds{5}), 3);
    EXPECT_DOUBLE_EQ(faults.slowdown(now + std::chrono::seconds{60}), 5);
}

TEST(Faults, ProbabilityIsKept) {
    Faults faults(3);
    faults.add(*parse_fault(R"({"kind":"rate_limit","probability":0.3})"), {});
    int hit = 0;
    for (int i = 0; i < 10'000; ++i) hit += faults.draw({}).rate_limited;
    EXPECT_NEAR(hit, 3000, 200);
}

}  // namespace
}  // namespace stoker::twin
