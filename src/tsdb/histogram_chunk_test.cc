#include "tsdb/histogram_chunk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <random>

#include "tsdb/bytes.h"
#include "tsdb/chunk.h"
#include "tsdb/late.h"

namespace stoker::tsdb {
namespace {

std::mt19937_64 generator(1);
std::uint64_t below(std::uint64_t n) {
    return generator() % n;
}

Histogram random_histogram() {
    Histogram histogram;
    histogram.schema = static_cast<std::int32_t>(below(12)) - 3;
    histogram.zero_threshold = below(2) == 0 ? 0 : 1e-128;
    for (auto [spans, counts] : {std::pair(&histogram.positive_spans, &histogram.positive),
                                 std::pair(&histogram.negative_spans, &histogram.negative)}) {
        for (std::uint64_t n = below(3); n > 0; --n) {
            spans->push_back({static_cast<std::int32_t>(below(9)) - 4, static_cast<std::uint32_t>(below(5))});
            counts->resize(counts->size() + spans->back().length);
        }
    }
    if (below(4) == 0) {
        histogram.schema = Histogram::kCustomBuckets;
        histogram.custom_bounds = {0.5, 1, 2.5};
    }
    return histogram;
}

// Counts on, mostly a little.
Histogram observe(Histogram histogram, bool whole) {
    const auto more = [&](double& count) {
        count += whole ? static_cast<double>(below(5)) : static_cast<double>(below(100)) / 7;
    };
    more(histogram.zero_count);
    more(histogram.count);
    histogram.sum += static_cast<double>(below(1000)) / 9;
    std::for_each(histogram.positive.begin(), histogram.positive.end(), more);
    std::for_each(histogram.negative.begin(), histogram.negative.end(), more);
    histogram.reset_hint = static_cast<Histogram::ResetHint>(below(4));
    return histogram;
}

TEST(HistogramChunk, OneByItselfSurvivesAndDamageIsNoticed) {
    for (int round = 0; round < 500; ++round) {
        const Histogram histogram = observe(random_histogram(), below(2) == 0);
        std::string bytes;
        put_histogram(bytes, histogram);
        ByteReader reader(bytes);
        const HistogramPtr back = read_histogram(reader);
        ASSERT_NE(back, nullptr);
        EXPECT_EQ(*back, histogram);
        EXPECT_TRUE(reader.at_end());
        for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
            ByteReader part(std::string_view(bytes).substr(0, cut));
            EXPECT_EQ(read_histogram(part), nullptr);
        }
    }
}

TEST(HistogramChunk, RowsSurviveAlsoWhenGoneOnWithAfterARestart) {
    for (int round = 0; round < 200; ++round) {
        SCOPED_TRACE(round);
        Histogram histogram = random_histogram();
        OpenHistograms open;
        std::vector<std::pair<std::int64_t, Histogram>> want;
        std::int64_t time = static_cast<std::int64_t>(below(1ULL << 42));
        for (std::uint64_t n = 1 + below(50); n > 0; --n) {
            time += 1 + static_cast<std::int64_t>(below(20'000));
            histogram = below(15) == 0 ? observe(random_histogram(), true) : observe(histogram, below(4) != 0);
            if (!open.empty() && !open.fits(histogram)) {
                break;
            }
            open.append(time, std::make_shared<const Histogram>(histogram));
            want.emplace_back(time, histogram);
            auto loaded = OpenHistograms::load(open.snapshot());
            ASSERT_TRUE(loaded.has_value());
            open = *std::move(loaded);
        }
        SampleList got;
        ASSERT_TRUE(read_chunk(open.snapshot(), got).has_value());
        ASSERT_EQ(got.size(), want.size());
        for (std::size_t i = 0; i < want.size(); ++i) {
            EXPECT_EQ(got.samples[i].time, want[i].first);
            EXPECT_TRUE(is_histogram(got.samples[i].value));
            EXPECT_EQ(*got.histograms[i], want[i].second);
        }
    }
}

TEST(HistogramChunk, ACountingHistogramIsSmall) {
    Histogram histogram;
    histogram.schema = 3;
    histogram.positive_spans = {{0, 20}};
    histogram.positive.resize(20);
    OpenHistograms open;
    for (int i = 0; i < 240; ++i) {
        for (double& count : histogram.positive) {
            count += 3;
            histogram.count += 3;
        }
        open.append(i * 15'000, std::make_shared<const Histogram>(histogram));
    }
    EXPECT_LT(open.bytes(), 240U * 27);
}

TEST(HistogramChunk, DamageIsAnErrorNotACrash) {
    OpenHistograms open;
    Histogram histogram = random_histogram();
    for (int i = 0; i < 30; ++i) {
        histogram = observe(histogram, i % 3 != 0);
        open.append(i * 1000, std::make_shared<const Histogram>(histogram));
    }
    const std::string sealed = open.snapshot();
    SampleList out;
    for (std::size_t cut = 0; cut < sealed.size(); ++cut) {
        out.clear();
        EXPECT_FALSE(read_chunk(std::string_view(sealed).substr(0, cut), out).has_value()) << cut;
    }
    for (int i = 0; i < 5000; ++i) {
        std::string damaged = sealed;
        damaged[below(damaged.size())] = static_cast<char>(generator());
        out.clear();
        (void)read_chunk(damaged, out);
        (void)OpenHistograms::load(damaged);
    }
}

TEST(SampleList, MergeKeepsOrderAndTheFirstOfEqualTimes) {
    for (int round = 0; round < 200; ++round) {
        SampleList a;
        SampleList b;
        std::map<std::int64_t, std::pair<double, HistogramPtr>> want;
        const auto fill = [&](SampleList& list, double base, bool wins) {
            for (std::uint64_t n = below(30); n > 0; --n) {
                const auto time = static_cast<std::int64_t>(below(60));
                if (list.find(time) != list.size()) {
                    continue;
                }
                const HistogramPtr histogram = below(3) == 0 ? std::make_shared<const Histogram>() : nullptr;
                const double value = histogram == nullptr ? base + static_cast<double>(n) : histogram_marker();
                list.insert({time, value}, histogram);
                if (wins) {
                    want[time] = {value, histogram};
                } else {
                    want.try_emplace(time, value, histogram);
                }
            }
        };
        fill(a, 100, true);
        fill(b, 200, false);
        const SampleList merged = merge(a.block(), b.block());
        ASSERT_EQ(merged.size(), want.size());
        std::size_t i = 0;
        for (const auto& [time, value] : want) {
            EXPECT_EQ(merged.samples[i].time, time);
            EXPECT_EQ(std::bit_cast<std::uint64_t>(merged.samples[i].value), std::bit_cast<std::uint64_t>(value.first));
            EXPECT_EQ(merged.histogram(i), value.second);
            ++i;
        }
        SampleList back;
        for (const SealedChunk& chunk : seal_list(merged.block())) {
            ASSERT_TRUE(read_chunk(*chunk.bytes, back).has_value());
        }
        EXPECT_EQ(back.size(), merged.size());
    }
}

}  // namespace
}  // namespace stoker::tsdb
