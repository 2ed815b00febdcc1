#include "base/metrics.h"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

namespace stoker::metrics {
namespace {

TEST(Metrics, TextShowsFamiliesByName) {
    Registry registry;
    registry.gauge("b_bytes", "Memory.").with().set(1.5e9);
    auto& requests = registry.counter("a_requests_total", "Requests.", {"model", "code"});
    requests.with({"tiny", "200"}).add(3);
    requests.with({"tiny", "500"}).add();
    EXPECT_EQ(registry.text(),
              "# HELP a_requests_total Requests.\n"
              "# TYPE a_requests_total counter\n"
              "a_requests_total{model=\"tiny\",code=\"200\"} 3\n"
              "a_requests_total{model=\"tiny\",code=\"500\"} 1\n"
              "# HELP b_bytes Memory.\n"
              "# TYPE b_bytes gauge\n"
              "b_bytes 1.5e+09\n");
}

TEST(Metrics, AnEmptyLabelIsLeftOut) {
    Registry registry;
    auto& requests = registry.counter("a_total", "A.", {"model", "tenant"});
    requests.with({"tiny", ""}).add(3);
    requests.with({"", ""}).add(1);
    EXPECT_EQ(registry.text(),
              "# HELP a_total A.\n"
              "# TYPE a_total counter\n"
              "a_total 1\n"
              "a_total{model=\"tiny\"} 3\n");
}

TEST(Metrics, EscapesHelpAndLabelValues) {
    Registry registry;
    registry.gauge("x", "a \\ \"b\"\nc", {"l"}).with({"a \\ \"b\"\nc"}).set(1);
    EXPECT_EQ(registry.text(),
              "# HELP x a \\\\ \"b\"\\nc\n"
              "# TYPE x gauge\n"
              "x{l=\"a \\\\ \\\"b\\\"\\nc\"} 1\n");
}

TEST(Metrics, HistogramIsCumulative) {
    Registry registry;
    auto& seconds = registry.histogram("t_seconds", "Time.", {"m"}, {0.005, 1, 2.5}).with({"x"});
    for (double value : {0.005, 0.1, 1.0, 2.0, 100.0}) seconds.observe(value);
    EXPECT_EQ(registry.text(),
              "# HELP t_seconds Time.\n"
              "# TYPE t_seconds histogram\n"
              "t_seconds_bucket{m=\"x\",le=\"0.005\"} 1\n"
              "t_seconds_bucket{m=\"x\",le=\"1\"} 3\n"
              "t_seconds_bucket{m=\"x\",le=\"2.5\"} 4\n"
              "t_seconds_bucket{m=\"x\",le=\"+Inf\"} 5\n"
              "t_seconds_sum{m=\"x\"} 103.105\n"
              "t_seconds_count{m=\"x\"} 5\n");
}

TEST(Metrics, NotANumberLandsInTheLastBucket) {
    Histogram histogram({1});
    histogram.observe(std::numeric_limits<double>::quiet_NaN());
    EXPECT_EQ(histogram.in_bucket(0), 0U);
    EXPECT_EQ(histogram.in_bucket(1), 1U);
}

TEST(Metrics, SamplesAreThoseOfTheText) {
    Registry registry;
    registry.counter("c_total", "C.", {"l"}).with({"v"}).add(2);
    registry.histogram("h", "H.", {}, {1}).with().observe(0.5);
    std::string seen;
    registry.each_sample([&](const Exposed& sample) {
        seen += std::string(sample.name);
        for (const auto& [name, value] : sample.labels) seen += ',' + name + '=' + value;
        seen += ' ' + std::to_string(sample.value) + '\n';
    });
    EXPECT_EQ(seen,
              "c_total,l=v 2.000000\n"
              "h_bucket,le=1 1.000000\n"
              "h_bucket,le=+Inf 1.000000\n"
              "h_sum 0.500000\n"
              "h_count 1.000000\n");
}

TEST(Metrics, FamilyIsRegisteredOnce) {
    Registry registry;
    auto& first = registry.counter("c_total", "C.", {"l"});
    EXPECT_EQ(&first, &registry.counter("c_total", "C.", {"l"}));
    EXPECT_DEATH(registry.gauge("c_total", "C."), "one kind");
    EXPECT_DEATH(registry.counter("c_total", "C.", {"m"}), "one set of labels");
    EXPECT_DEATH(first.with(), "one value for each label");
}

TEST(Metrics, RemovedMetricIsGone) {
    Registry registry;
    auto& family = registry.gauge("g", "G.", {"l"});
    family.with({"a"}).set(1);
    family.with({"b"}).set(2);
    family.remove({"a"});
    EXPECT_EQ(registry.text(), "# HELP g G.\n# TYPE g gauge\ng{l=\"b\"} 2\n");
}

TEST(Metrics, UpdatesRunBeforeGathering) {
    Registry registry;
    registry.on_gather([&registry] { registry.gauge("g", "G.").with().add(1); });
    EXPECT_TRUE(registry.text().ends_with("g 1\n"));
    EXPECT_TRUE(registry.text().ends_with("g 2\n"));
}

TEST(Metrics, CountsFromManyThreads) {
    Registry registry;
    constexpr int kThreads = 4;
    constexpr int kEach = 2000;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&registry] {
            for (int i = 0; i < kEach; ++i) {
                registry.counter("c_total", "C.", {"l"}).with({"x"}).add();
                registry.histogram("h", "H.", {}, {0.5}).with().observe(i % 2);
                if (i % 500 == 0) static_cast<void>(registry.text());
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(registry.counter("c_total", "C.", {"l"}).with({"x"}).value(), kThreads * kEach);
    EXPECT_EQ(registry.histogram("h", "H.", {}, {0.5}).with().sum(), kThreads * kEach / 2);
}

TEST(Metrics, LatencyBoundsCoverAMillisecondToMinutes) {
    const auto bounds = latency_bounds();
    EXPECT_EQ(bounds.front(), 0.001);
    EXPECT_GT(bounds.back(), 160);
    EXPECT_EQ(bounds.size(), 36U);
    EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end()));
}

}  // namespace
}  // namespace stoker::metrics
