// With rollups and without: the answer is the same.
#include "promql/rollup_windows.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <random>

#include "promql/engine.h"
#include "tsdb/store_fixture.h"

namespace stoker::promql {
namespace {

using tsdb::testing::TestStore;

constexpr std::int64_t kHour = tsdb::kLongRollup;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kStart = 20'000 * kDay;
constexpr int kDays = 6;
const char* const kFunctions[] = {
    "sum_over_time",  "avg_over_time",     "count_over_time", "min_over_time", "max_over_time",
    "last_over_time", "present_over_time", "first_over_time", "rate",          "increase",
    "delta"};

// The store as it is, or its samples alone; counts what is read.
class Reader : public tsdb::Querier {
public:
    enum class Rollups { Shown, Hidden };
    Reader(const tsdb::Store& store, Rollups rollups) : store_(store), rollups_(rollups) {}

    Result<std::vector<std::shared_ptr<tsdb::Series>>> select(const std::vector<tsdb::Matcher>& matchers,
                                                              std::int64_t start, std::int64_t end,
                                                              std::size_t limit) const override {
        return counted(store_.select(matchers, start, end, limit));
    }
    Result<std::vector<std::shared_ptr<tsdb::Series>>> select_for_rollups(const std::vector<tsdb::Matcher>& matchers,
                                                                          std::int64_t start, std::int64_t end,
                                                                          std::size_t limit) const override {
        return rollups_ == Rollups::Hidden ? select(matchers, start, end, limit)
                                           : counted(store_.select_for_rollups(matchers, start, end, limit));
    }
    Result<std::vector<std::string>> label_names(const std::vector<tsdb::Matcher>&, std::int64_t,
                                                 std::int64_t) const override {
        return std::vector<std::string>();
    }
    Result<std::vector<std::string>> label_values(const std::string&, const std::vector<tsdb::Matcher>&, std::int64_t,
                                                  std::int64_t) const override {
        return std::vector<std::string>();
    }

    mutable std::atomic<std::size_t> rows{0};

private:
    class Counted : public tsdb::Series {
    public:
        Counted(std::shared_ptr<tsdb::Series> inner, std::atomic<std::size_t>& rows)
            : inner_(std::move(inner)), rows_(rows) {}
        const tsdb::Labels& labels() const override { return inner_->labels(); }
        std::unique_ptr<tsdb::SampleIterator> samples() const override { return inner_->samples(); }
        std::unique_ptr<tsdb::SampleIterator> samples_between(std::int64_t start, std::int64_t end) const override {
            return inner_->samples_between(start, end);
        }
        std::int64_t rollups(std::int64_t resolution, std::int64_t start, std::int64_t end,
                             std::vector<tsdb::Rollup>& out) const override {
            const std::size_t before = out.size();
            const std::int64_t reached = inner_->rollups(resolution, start, end, out);
            rows_ += out.size() - before;
            return reached;
        }
        std::int64_t raw_since() const override { return inner_->raw_since(); }

    private:
        std::shared_ptr<tsdb::Series> inner_;
        std::atomic<std::size_t>& rows_;
    };

    Result<std::vector<std::shared_ptr<tsdb::Series>>> counted(
        Result<std::vector<std::shared_ptr<tsdb::Series>>> found) const {
        if (found) {
            for (auto& series : *found) series = std::make_shared<Counted>(std::move(series), rows);
        }
        return found;
    }

    const tsdb::Store& store_;
    const Rollups rollups_;
};

tsdb::StoreOptions options_of(std::int64_t retention) {
    tsdb::StoreOptions options;
    options.retention = Duration{retention};
    options.checkpoint_interval = Duration{1000};
    options.future_window = Duration{0};
    return options;
}

// A sample about every minute: counters that are reset now and then, gauges, markers, NaNs, gaps, whole midnights.
void feed(TestStore& store, std::uint64_t seed, int days) {
    std::mt19937_64 random(seed);
    std::array<double, 5> counters{};
    for (std::int64_t minute = 0; minute < days * 1440 + 180; ++minute) {
        std::vector<tsdb::SeriesSample> batch;
        for (int i = 0; i < 5; ++i) {
            const std::int64_t jitter = minute % 60 == 0 ? 0 : static_cast<std::int64_t>(random() % 900);
            const std::int64_t time = kStart + minute * 60'000 + jitter;
            double& value = counters[static_cast<std::size_t>(i)];
            switch (i) {
                case 0:
                    value = random() % 700 == 0 ? 1 : value + static_cast<double>(random() % 50);
                    break;
                case 1:
                    value = random() % 900 == 0 ? 0.1 : value + static_cast<double>(random() % 1000) / 7;
                    break;
                case 2:
                    value = std::sin(static_cast<double>(minute) / 100) * 1e3 + static_cast<double>(random() % 100) / 3;
                    break;
                case 3:
                    value = random() % 40 == 0 ? std::nan("") : static_cast<double>(random() % 10);
                    break;
                default:
                    value = random() % 60 == 0 ? tsdb::stale_marker() : 5;
            }
            if (i == 2 && minute % 2000 > 1300) continue;
            batch.push_back({tsdb::Labels{{"__name__", "m_total"}, {"i", std::to_string(i)}}, {time, value}});
        }
        store.append(batch);
    }
}

void maintain(TestStore& store, std::int64_t now) {
    for (int i = 0; i < 400; ++i) store.maintain(now + i * 100);
}

bool close(double a, double b, double scale) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return a == b || std::abs(a - b) <= 4e-16 * std::max({std::abs(a), std::abs(b), scale});
}

// Empty if both are the same.
std::string difference(const Result<Value>& a, const Result<Value>& b) {
    if (!a || !b) return "an error";
    const auto& left = std::get<Matrix>(a->data);
    const auto& right = std::get<Matrix>(b->data);
    if (a->infos != b->infos || a->warnings != b->warnings) return "notes";
    if (left.size() != right.size()) return "series";
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (left[i].labels != right[i].labels || left[i].samples.size() != right[i].samples.size()) return "points";
        for (std::size_t k = 0; k < left[i].samples.size(); ++k) {
            const auto& x = left[i].samples[k];
            const auto& y = right[i].samples[k];
            // A gauge's sum is made of far greater ones that cancel out.
            if (x.time != y.time || !close(x.value, y.value, left[i].labels.get("i") == "2" ? 1e6 : 0)) {
                return left[i].labels.text() + " at " + std::to_string(x.time - kStart) + ": " +
                       std::to_string(x.value) + " and " + std::to_string(y.value);
            }
        }
    }
    return "";
}

TEST(RollupWindows, AnswerAsSamplesDo) {
    TestStore store(options_of(30 * kDay));
    feed(store, 7, kDays);
    const std::int64_t now = kStart + kDays * kDay + 3 * kHour;
    maintain(store, now);
    store.append({{tsdb::Labels{{"__name__", "m_total"}, {"i", "0"}}, {now - 60'000 * 3, 7}}});
    const Engine engine({.experimental = true});
    const Reader with(*store, Reader::Rollups::Shown);
    const Reader without(*store, Reader::Rollups::Hidden);
    struct Shape {
        const char* range;
        std::int64_t start;
        std::int64_t end;
        std::int64_t step;
        bool rows;
    };
    const Shape shapes[] = {
        {"1d", kStart + kDay, now, kHour, true},        {"2d", kStart + 2 * kDay, kStart + 5 * kDay, kHour, true},
        {"3h", kStart + 3 * kHour, now, kHour, true},   {"1d", kStart + kDay + 1234, now, 12 * kHour, true},
        {"5d", now - 777, now - 777, kHour, true},      {"1d", kStart + kDay + 1800'000, kStart + 5 * kDay, kDay, true},
        {"36h30m", kStart + 2 * kDay, now, kDay, true}, {"1d", kStart - kDay, kStart + 3 * kDay, kHour, true},
        {"10d", now, now + kDay, kDay, true},           {"1h", kStart + kHour, now, kHour, false},
        {"1d", kStart + kDay, now, 7 * 60'000, false},  {"2h", now - 60'000, now, 60'000, false},
    };
    for (const char* function : kFunctions) {
        for (const Shape& shape : shapes) {
            for (const char* offset : {"", " offset 1h", " offset 90m"}) {
                const std::string query = std::string(function) + "(m_total[" + shape.range + "]" + offset + ")";
                const auto run = [&](const Reader& reader) {
                    return engine.range(reader, query, from_millis(shape.start), from_millis(shape.end),
                                        Duration{shape.step});
                };
                with.rows = 0;
                const auto quick = run(with);
                if (*offset == 0) {
                    EXPECT_EQ(with.rows > 0, shape.rows) << query << " " << shape.step;
                }
                ASSERT_EQ(difference(quick, run(without)), "") << query << " step " << shape.step;
            }
        }
    }
    EXPECT_EQ(without.rows, 0U);
}

TEST(RollupWindows, AnswerWhenSamplesAreGone) {
    TestStore whole(options_of(30 * kDay));
    TestStore kept(options_of(3 * kDay));
    for (TestStore* store : {&whole, &kept}) {
        feed(*store, 9, kDays);
        maintain(*store, kStart + kDays * kDay + 3 * kHour);
    }
    // Retention comes after the rollups of the oldest days are made: with the next look at it.
    const std::int64_t now = kStart + kDays * kDay + 3 * kHour + 11 * 60'000;
    kept.maintain(now);
    const Engine engine({.experimental = true});
    const Reader samples(*whole, Reader::Rollups::Hidden);
    const Reader rollups(*kept, Reader::Rollups::Shown);
    for (const char* function : kFunctions) {
        for (const char* range : {"1d", "3h", "1h", "2h30m"}) {
            // Only counters have their falls kept.
            const std::string query = std::string(function) + "(m_total{i=~\"0|1|4\"}[" + range + "])";
            const std::int64_t step = std::string_view(range) == "2h30m" ? 30 * 60'000 : kHour;
            const auto run = [&](const Reader& reader) {
                return engine.range(reader, query, from_millis(kStart + kDay), from_millis(now / kHour * kHour),
                                    Duration{step});
            };
            ASSERT_EQ(difference(run(rollups), run(samples)), "") << query;
        }
    }
    EXPECT_GT(rollups.rows, 0U);
}

}  // namespace
}  // namespace stoker::promql
