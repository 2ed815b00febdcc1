#include "collect/push/series_cache.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

namespace stoker::collect {
namespace {

using std::chrono::minutes;

constexpr Timestamp kStart = from_millis(1'700'000'000'000);

tsdb::SeriesRef find(SeriesCache& cache, const std::string& text, Timestamp now = kStart) {
    const SeriesCache::Key key = cache.key(text).value();
    tsdb::SeriesRef ref = 99;
    cache.find({&key, 1}, {&ref, 1}, now);
    return ref;
}

void put(SeriesCache& cache, const std::string& text, tsdb::SeriesRef ref, Timestamp now = kStart) {
    cache.put(cache.key(text).value(), ref, now);
}

TEST(SeriesCache, FindsWhatWasPut) {
    SeriesCache cache;
    EXPECT_EQ(find(cache, "a"), 0u);
    put(cache, "a", 7);
    EXPECT_EQ(find(cache, "a"), 7u);
    put(cache, "a", 8);
    EXPECT_EQ(find(cache, "a"), 8u);
    EXPECT_EQ(cache.size(), 1u);
    put(cache, "a", 0);
    EXPECT_EQ(find(cache, "a"), 0u);
}

TEST(SeriesCache, HoldsManyAndFindsThemInOneCall) {
    SeriesCache cache;
    constexpr std::size_t kMany = 50'000;
    std::vector<SeriesCache::Key> keys;
    for (std::size_t i = 0; i < kMany; ++i) {
        keys.push_back(cache.key("series " + std::to_string(i)).value());
        cache.put(keys.back(), i + 1, kStart);
    }
    std::vector<tsdb::SeriesRef> refs(kMany);
    cache.find(keys, refs, kStart);
    for (std::size_t i = 0; i < kMany; ++i) {
        ASSERT_EQ(refs[i], i + 1);
    }
}

TEST(SeriesCache, TextsThatDifferLittleHaveDifferentKeys) {
    SeriesCache cache;
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
    std::size_t texts = 0;
    const auto add = [&](const std::string& text) {
        const auto key = cache.key(text).value();
        seen.emplace(key.high, key.low);
        ++texts;
    };
    for (std::size_t size = 0; size <= 64; ++size) {
        add(std::string(size, '\0'));  // The padding of a shorter text is no text.
        for (std::size_t i = 0; i < size; ++i) {
            for (int bit = 0; bit < 8; ++bit) {
                std::string text(size, '\0');
                text[i] = static_cast<char>(1 << bit);
                add(text);
            }
        }
    }
    EXPECT_EQ(seen.size(), texts);
}

TEST(SeriesCache, KeysAreThisProcessAlone) {
    EXPECT_NE(SeriesCache().key("a"), SeriesCache().key("a"));
}

TEST(SeriesCache, LongTextsAreNotRemembered) {
    const SeriesCache cache;
    EXPECT_TRUE(cache.key(std::string(SeriesCache::kMaxText, 'x')).has_value());
    EXPECT_FALSE(cache.key(std::string(SeriesCache::kMaxText + 1, 'x')).has_value());
}

TEST(SeriesCache, StaysWithinItsBoundAndKeepsWhatIsAskedFor) {
    SeriesCache cache({.most = 16'000, .forget_after = minutes(60)});
    put(cache, "always", 1);
    for (int minute = 0; minute < 200; ++minute) {
        const Timestamp now = kStart + minutes(minute);
        for (int i = 0; i < 1000; ++i) {
            put(cache, "churn " + std::to_string(minute) + " " + std::to_string(i), 2, now);
        }
        ASSERT_EQ(find(cache, "always", now), 1u) << "minute " << minute;
        ASSERT_LE(cache.size(), 16'000u);
    }
    EXPECT_EQ(find(cache, "churn 0 0", kStart + minutes(200)), 0u);
}

TEST(SeriesCache, ManyThreads) {
    SeriesCache cache({.most = 20'000, .forget_after = minutes(1)});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&cache, t] {
            for (std::uint64_t i = 0; i < 20'000; ++i) {
                const std::string text = std::to_string((i * 7 + static_cast<std::uint64_t>(t)) % 30'000);
                const auto ref = find(cache, text);
                EXPECT_TRUE(ref == 0 || ref == std::stoull(text) + 1);
                put(cache, text, std::stoull(text) + 1);
            }
        });
    }
    for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace stoker::collect
