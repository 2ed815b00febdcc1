#include "promql/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "promql/format.h"
#include "promql/memory_querier.h"

namespace stoker::promql {
namespace {

// Counts how often series are selected and read.
class CountingQuerier : public MemoryQuerier {
public:
    Result<std::vector<std::shared_ptr<tsdb::Series>>> select(const std::vector<tsdb::Matcher>& matchers,
                                                              std::int64_t start, std::int64_t end,
                                                              std::size_t limit) const override {
        ++selects;
        first = start;
        last = end;
        return MemoryQuerier::select(matchers, start, end, limit);
    }
    mutable int selects = 0;
    mutable std::int64_t first = 0;
    mutable std::int64_t last = 0;
};

TEST(Engine, RangeQuerySelectsOnce) {
    CountingQuerier data;
    for (std::int64_t i = 0; i < 100; ++i) data.add({{"__name__", "a_total"}}, {i * 15'000, static_cast<double>(i)});
    const auto value = Engine().range(data, "rate(a_total[5m] offset 1m)", from_millis(600'000), from_millis(1'200'000),
                                      Duration{15'000});
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(data.selects, 1);
    EXPECT_EQ(data.first, 600'000 - 60'000 - 300'000 + 1);
    EXPECT_EQ(data.last, 1'200'000 - 60'000);
}

TEST(Engine, Limits) {
    MemoryQuerier data;
    for (std::int64_t i = 0; i < 100; ++i) data.add({{"__name__", "a"}}, {i * 1000, 1});
    EngineOptions options;
    options.max_samples = 99;
    const auto many = Engine(options).instant(data, "sum_over_time(a[200s])", from_millis(99'000));
    ASSERT_FALSE(many.has_value());
    EXPECT_EQ(many.error().code, Errc::ResourceExhausted);

    options = {};
    options.timeout = Duration{0};
    const auto late = Engine(options).instant(data, "a", from_millis(0));
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().code, Errc::DeadlineExceeded);

    const std::atomic<bool> gone{true};
    const auto left = Engine().instant(data, "a", from_millis(0), &gone);
    ASSERT_FALSE(left.has_value());
    EXPECT_EQ(left.error().code, Errc::Cancelled);
}

TEST(Engine, RangeBounds) {
    const MemoryQuerier data;
    const Engine engine;
    EXPECT_FALSE(engine.range(data, "1", from_millis(1), from_millis(0), Duration{1}).has_value());
    EXPECT_FALSE(engine.range(data, "1", from_millis(0), from_millis(1), Duration{0}).has_value());
    EXPECT_TRUE(engine.range(data, "1", from_millis(0), from_millis(11'000), Duration{1}).has_value());
    EXPECT_FALSE(engine.range(data, "1", from_millis(0), from_millis(11'001), Duration{1}).has_value());
}

// Whatever is asked for at one step is what a range query says of that step.
TEST(Engine, EveryStepEqualsAnInstantQuery) {
    std::mt19937_64 random(42);
    MemoryQuerier data;
    for (int series = 0; series < 6; ++series) {
        std::int64_t time = 0;
        double value = 0;
        for (int i = 0; i < 200; ++i) {
            time += 5'000 + static_cast<std::int64_t>(random() % 20'000);
            value = random() % 20 == 0 ? 0 : value + static_cast<double>(random() % 100) / 7;
            const bool stale = random() % 25 == 0;
            data.add({{"__name__", "m_total"}, {"s", std::to_string(series)}, {"g", std::to_string(series % 2)}},
                     {time, stale ? tsdb::stale_marker() : value});
        }
    }
    const Engine engine;
    for (const char* query :
         {"m_total", "rate(m_total[2m])", "sum by (g) (irate(m_total[3m]))", "topk(2, m_total)", "m_total > 100",
          "m_total / on(g) group_left max by (g) (m_total)", "avg_over_time(rate(m_total[1m])[3m:20s])",
          "m_total{g=\"0\"} or m_total{s=\"1\"} > 50", "count_values by (g) (\"v\", floor(m_total / 100))",
          "quantile_over_time(0.9, m_total[2m] offset 1m)", "absent_over_time(m_total{s=\"3\"}[10s])"}) {
        const auto range = engine.range(data, query, from_millis(0), from_millis(2'400'000), Duration{37'000});
        ASSERT_TRUE(range.has_value()) << query;
        for (std::int64_t time = 0; time <= 2'400'000; time += 37'000) {
            const auto instant = engine.instant(data, query, from_millis(time));
            ASSERT_TRUE(instant.has_value()) << query;
            std::map<tsdb::Labels, std::string> want;
            for (const auto& element : std::get<Vector>(instant->data)) {
                want[element.labels] = format_float(element.sample.value);
            }
            std::map<tsdb::Labels, std::string> got;
            for (const auto& series : std::get<Matrix>(range->data)) {
                for (const auto& sample : series.samples) {
                    if (sample.time == time) got[series.labels] = format_float(sample.value);
                }
            }
            ASSERT_EQ(got, want) << query << " at " << time;
        }
    }
}

TEST(Format, FloatsAsGoWritesThem) {
    EXPECT_EQ(format_float(0), "0");
    EXPECT_EQ(format_float(-0.0), "-0");
    EXPECT_EQ(format_float(0.1), "0.1");
    EXPECT_EQ(format_float(1e21), "1000000000000000000000");
    EXPECT_EQ(format_float(1e23), "100000000000000000000000");
    EXPECT_EQ(format_float(-1.25e-7), "-0.000000125");
    EXPECT_EQ(format_float(123456789.5), "123456789.5");
    EXPECT_EQ(format_float(std::numeric_limits<double>::infinity()), "+Inf");
    EXPECT_EQ(format_float(-std::numeric_limits<double>::infinity()), "-Inf");
    EXPECT_EQ(format_float(std::nan("")), "NaN");
    EXPECT_EQ(format_sample_value(1e21), "1e+21");
    EXPECT_EQ(format_sample_value(1e20), "100000000000000000000");
    EXPECT_EQ(format_sample_value(1.5e-7), "1.5e-07");
}

TEST(Format, Json) {
    Value value;
    value.data = Vector{{{{"a", "q\"\\\n\x01\xff\xc3\xa9"}}, {-1500, 2}}};
    EXPECT_EQ(to_prometheus_json(value),
              "{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"a\":\"q\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\"},"
              "\"value\":[-1.500,\"2\"]}]}");
}

}  // namespace
}  // namespace stoker::promql
