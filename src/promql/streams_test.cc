// Reading block by block, sliding windows, folding and threads: whatever the way, the answer is the same.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <utility>

#include "promql/engine.h"
#include "promql/memory_querier.h"

namespace stoker::promql {
namespace {

constexpr std::int64_t kEvery = 15'000;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Gives samples a few at a time, and forgets each block at the next call; perhaps fails at the end.
class Blocks : public tsdb::SampleIterator {
public:
    Blocks(std::vector<tsdb::Sample> samples, std::uint64_t seed, bool fails)
        : samples_(std::move(samples)), random_(seed), fails_(fails) {}
    tsdb::SampleBlock next_block() override {
        std::fill(block_.begin(), block_.end(), tsdb::Sample{-1, -1});
        const std::size_t count = std::min<std::size_t>(1 + random_() % 9, samples_.size() - at_);
        const auto first = samples_.begin() + static_cast<std::ptrdiff_t>(at_);
        block_.assign(first, first + static_cast<std::ptrdiff_t>(count));
        at_ += count;
        return {block_, {}};
    }
    Result<Unit> status() const override {
        if (fails_) return Error{Errc::Corruption, "chunk 7: bad checksum"};
        return Unit{};
    }

private:
    std::vector<tsdb::Sample> samples_;
    std::mt19937_64 random_;
    std::vector<tsdb::Sample> block_;
    std::size_t at_ = 0;
    bool fails_;
};

class BlockSeries : public tsdb::Series {
public:
    BlockSeries(std::shared_ptr<tsdb::Series> inner, std::uint64_t seed, bool fails)
        : inner_(std::move(inner)), seed_(seed), fails_(fails) {}
    const tsdb::Labels& labels() const override { return inner_->labels(); }
    std::unique_ptr<tsdb::SampleIterator> samples() const override {
        std::vector<tsdb::Sample> all;
        const auto samples = inner_->samples();
        for (tsdb::Sample sample; samples->next(sample);) all.push_back(sample);
        return std::make_unique<Blocks>(std::move(all), seed_, fails_);
    }

private:
    std::shared_ptr<tsdb::Series> inner_;
    std::uint64_t seed_;
    bool fails_;
};

class BlockQuerier : public MemoryQuerier {
public:
    Result<std::vector<std::shared_ptr<tsdb::Series>>> select(const std::vector<tsdb::Matcher>& matchers,
                                                              std::int64_t start, std::int64_t end,
                                                              std::size_t limit) const override {
        TRY(auto found, MemoryQuerier::select(matchers, start, end, limit));
        for (std::size_t i = 0; i < found.size(); ++i) found[i] = std::make_shared<BlockSeries>(found[i], i, fails);
        return found;
    }
    bool fails = false;
};

// Counters that reset, values with gaps, markers, NaN and infinities.
void fill(MemoryQuerier& data, std::uint64_t seed, int series) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> real(-10, 10);
    for (int i = 0; i < series; ++i) {
        const tsdb::Labels labels{{"__name__", "a"}, {"g", std::to_string(i % 7)}, {"i", std::to_string(i)}};
        double counter = 0;
        for (std::int64_t time = 0; time < 3'600'000; time += kEvery) {
            if (random() % 40 == 0) time += static_cast<std::int64_t>(random() % 10) * 60'000;
            counter = random() % 30 == 0 ? 0 : counter + static_cast<double>(random() % 10);
            double value = i % 2 == 0 ? counter : real(random);
            if (i % 5 == 1 && random() % 20 == 0) value = kNaN;
            if (i % 11 == 1 && random() % 90 == 0) value = std::numeric_limits<double>::infinity();
            if (random() % 50 == 0) value = tsdb::stale_marker();
            data.add(labels, {time + static_cast<std::int64_t>(random() % 5000), value});
        }
    }
}

bool close(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return a == b || std::nextafter(a, b) == b;
}

Matrix range(const Engine& engine, const tsdb::Querier& data, const std::string& query, std::int64_t step) {
    auto value = engine.range(data, query, from_millis(300'000), from_millis(3'500'000), Duration{step});
    EXPECT_TRUE(value.has_value()) << query << ": " << value.error().message;
    return value ? std::get<Matrix>(value->data) : Matrix{};
}

// Each step of a range query is what an instant query says at that time; those slide nothing.
void expect_like_instants(const tsdb::Querier& data, const std::string& query, std::int64_t step) {
    const Engine engine;
    const Matrix matrix = range(engine, data, query, step);
    ASSERT_FALSE(matrix.empty()) << query;
    std::map<std::pair<tsdb::Labels, std::int64_t>, double> expected;
    for (std::int64_t time = 300'000; time <= 3'500'000; time += step) {
        const auto value = engine.instant(data, query, from_millis(time));
        ASSERT_TRUE(value.has_value());
        for (const VectorSample& one : std::get<Vector>(value->data)) {
            expected[{one.labels, time}] = one.sample.value;
        }
    }
    std::size_t points = 0;
    for (const MatrixSeries& series : matrix) {
        for (const tsdb::Sample& sample : series.samples) {
            const auto at = expected.find({series.labels, sample.time});
            ASSERT_NE(at, expected.end()) << query << " " << series.labels.text() << " at " << sample.time;
            EXPECT_TRUE(close(sample.value, at->second))
                << query << " " << series.labels.text() << " at " << sample.time << ": " << sample.value << ", not "
                << at->second;
            ++points;
        }
    }
    EXPECT_EQ(points, expected.size()) << query;
}

TEST(Streams, RangesAreLikeInstants) {
    BlockQuerier data;
    fill(data, 1, 6);
    for (const char* function :
         {"rate", "increase", "delta", "irate", "resets", "changes", "min_over_time", "max_over_time", "sum_over_time",
          "avg_over_time", "count_over_time", "last_over_time", "stddev_over_time", "deriv"}) {
        for (const char* window : {"40s", "12m"}) {
            for (const std::int64_t step : {23'000, 600'000}) {
                expect_like_instants(data, std::string(function) + "(a[" + window + "])", step);
            }
        }
    }
    for (const std::int64_t step : {7'000, 600'000}) expect_like_instants(data, "a", step);
}

bool same_bits(const Matrix& a, const Matrix& b) {
    const auto same = [](const tsdb::Sample& x, const tsdb::Sample& y) {
        if (std::isnan(x.value)) return x.time == y.time && std::isnan(y.value);
        return x.time == y.time && std::bit_cast<std::uint64_t>(x.value) == std::bit_cast<std::uint64_t>(y.value);
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const MatrixSeries& x, const MatrixSeries& y) {
        return x.labels == y.labels &&
               std::equal(x.samples.begin(), x.samples.end(), y.samples.begin(), y.samples.end(), same);
    });
}

TEST(Streams, ThreadsAndFoldingChangeNothing) {
    BlockQuerier data;
    fill(data, 2, 80);
    EngineOptions options;
    options.threads = 4;
    const Engine shared(options);
    const Engine alone;
    for (const char* op : {"sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"}) {
        for (const char* grouping : {"", "by (g)", "without (i)", "by (__name__)"}) {
            const auto query = [&](const char* inner) { return std::string(op) + " " + grouping + " (" + inner + ")"; };
            // A pattern for the name keeps the columns together.
            const Matrix kept = range(alone, data, query("rate({__name__=~\"a\"}[2m]) > 0"), 20'000);
            EXPECT_FALSE(kept.empty());
            EXPECT_TRUE(same_bits(kept, range(alone, data, query("rate(a[2m]) > 0"), 20'000))) << op << grouping;
            EXPECT_TRUE(same_bits(kept, range(shared, data, query("rate(a[2m]) > 0"), 20'000))) << op << grouping;
        }
    }
    EXPECT_TRUE(same_bits(range(alone, data, "-a", 20'000), range(shared, data, "-a", 20'000)));
}

TEST(Streams, AggregationHoldsGroupsOnly) {
    MemoryQuerier data;
    fill(data, 3, 300);
    EngineOptions options;
    options.max_samples = 2'000;  // 161 steps; 7 groups of them fit, 300 series don't.
    const Engine engine(options);
    EXPECT_EQ(range(engine, data, "sum by (g) (rate(a[2m]))", 20'000).size(), 7);
    const auto all = engine.range(data, "rate(a[2m])", from_millis(300'000), from_millis(3'500'000), Duration{20'000});
    ASSERT_FALSE(all.has_value());
    EXPECT_EQ(all.error().code, Errc::ResourceExhausted);
}

TEST(Streams, UnreadableDataIsSaid) {
    BlockQuerier data;
    fill(data, 4, 3);
    data.fails = true;
    for (const char* query : {"a", "rate(a[5m])", "sum(a)", "sum(rate(a[5m]))", "absent_over_time(a[5m])"}) {
        const auto value = Engine().instant(data, query, from_millis(600'000));
        ASSERT_TRUE(value.has_value());
        EXPECT_EQ(value->warnings,
                  std::vector<std::string>{"part of the data could not be read: chunk 7: bad checksum"})
            << query;
    }
}

TEST(Streams, FixedTimesAreReadOnce) {
    BlockQuerier data;
    fill(data, 5, 10);
    const Engine engine;
    const Matrix once = range(engine, data, "sum(rate(a[5m] @ 1800))", 60'000);
    ASSERT_EQ(once.size(), 1U);
    const auto value = engine.instant(data, "sum(rate(a[5m]))", from_millis(1'800'000));
    ASSERT_TRUE(value.has_value());
    for (const tsdb::Sample& sample : once[0].samples) {
        EXPECT_EQ(sample.value, std::get<Vector>(value->data).at(0).sample.value);
    }
}

}  // namespace
}  // namespace stoker::promql
