// Copies of a running store, and looking them over.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tsdb/backup.h"
#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::content;
using testing::Content;
using testing::TempFolder;
using testing::TestStore;

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr std::int64_t kHour = 3'600'000;

std::unique_ptr<Store> open(const std::string& directory, metrics::Registry& registry) {
    auto opened = Store::open(directory, {}, registry);
    EXPECT_TRUE(opened.has_value()) << opened.error().message;
    return opened ? *std::move(opened) : nullptr;
}

TEST(Snapshot, HasEverythingThatWasAcknowledgedBefore) {
    TestStore store;
    for (std::int64_t i = 0; i < 1000; ++i) {
        store.append({at("a", kStart + i * 60'000, static_cast<double>(i)), at("b", kStart + i * 60'000, 1)});
        if (i == 700) {
            store.maintain(kStart);
            store.maintain(kStart + 20 * kHour);
        }
    }
    ASSERT_TRUE(store->delete_series({{"__name__", Matcher::Op::Equal, "b"}}, kStart, kStart + kHour).has_value());
    store->set_metadata({{"a", {"gauge", "A.", ""}}});
    ASSERT_TRUE(store->append_exemplars({{Labels{{"__name__", "a"}}, {{Labels{{"id", "1"}}, 1, kStart}}}}).has_value());
    const Content before = content(*store);
    TempFolder folder;
    const std::string copy = folder.path() + "/deep/copy";
    ASSERT_TRUE(store->snapshot(copy).has_value());
    EXPECT_EQ(store->snapshot(copy).error().code, Errc::Conflict);
    store.append({at("a", kStart + 2000 * 60'000, 1)});  // After it.
    const auto checked = verify(copy);
    ASSERT_TRUE(checked.has_value()) << checked.error().message;
    EXPECT_TRUE(checked->damage.empty());
    EXPECT_EQ(checked->series, 2U);
    EXPECT_GT(checked->samples, 1000U);
    EXPECT_GT(checked->log_frames, 0U);
    metrics::Registry registry;
    for (int round = 0; round < 2; ++round) {
        auto copied = open(copy, registry);
        ASSERT_NE(copied, nullptr);
        EXPECT_EQ(content(*copied), before);
        EXPECT_EQ(copied->metadata("a").size(), 1U);
        EXPECT_EQ(copied->exemplars({{}}, 0, kStart * 2)->size(), 1U);
        EXPECT_TRUE(copied->append({at("c", kStart, 1)}).has_value());
        EXPECT_TRUE(copied->delete_series({{"__name__", Matcher::Op::Equal, "c"}}, 0, kStart * 2).has_value());
        EXPECT_TRUE(copied->maintain(from_millis(kStart + 30 * kHour)).has_value());
    }
    EXPECT_EQ(content(*store).at("a").size(), 1001U);
}

TEST(Snapshot, WhileSamplesCome) {
    TestStore store({.checkpoint_bytes = 20'000});
    std::atomic<std::int64_t> acknowledged{-1};
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (std::int64_t i = 0; !stop; ++i) {
            store.append({at("a", kStart + i, static_cast<double>(i)), at("b", kStart + i, 2)});
            acknowledged = i;
        }
    });
    std::thread keeper([&] {
        while (!stop) {
            store.maintain(kStart);
        }
    });
    TempFolder folder;
    for (int round = 0; round < 5; ++round) {
        while (acknowledged < round * 300) {
            std::this_thread::yield();
        }
        const std::int64_t sure = acknowledged;
        const std::string copy = folder.path() + "/" + std::to_string(round);
        ASSERT_TRUE(store->snapshot(copy).has_value());
        metrics::Registry registry;
        const Content found = content(*open(copy, registry));
        const auto& samples = found.at("a");
        ASSERT_GT(static_cast<std::int64_t>(samples.size()), sure);
        for (std::size_t i = 0; i < samples.size(); ++i) {
            ASSERT_EQ(samples[i].first, kStart + static_cast<std::int64_t>(i));
        }
    }
    stop = true;
    writer.join();
    keeper.join();
}

TEST(Verify, NamesDamageAndChangesNothing) {
    TestStore store;
    for (std::int64_t i = 0; i < 500; ++i) {
        store.append({at("a", kStart + i * 60'000, static_cast<double>(i * i))});
    }
    TempFolder folder;
    const std::string copy = folder.path() + "/copy";
    ASSERT_TRUE(store->snapshot(copy).has_value());
    EXPECT_EQ(verify(folder.path()).error().code, Errc::NotFound);
    const std::string segment = copy + "/wal/00000001.wal";
    {
        std::fstream stream(segment, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(200);
        stream.put('\xff');
    }
    for (int round = 0; round < 2; ++round) {
        const auto checked = verify(copy);
        ASSERT_TRUE(checked.has_value());
        ASSERT_EQ(checked->damage.size(), 1U);
        EXPECT_EQ(checked->damage[0].where, segment);
    }
}

TEST(CleanTombstones, ErasesWhatIsHiddenAndKeepsTheRest) {
    TestStore store;
    for (std::int64_t i = 0; i < 3000; ++i) {
        store.append(
            {at("a", kStart + i * 60'000, static_cast<double>(i * 7919 % 1009)), at("b", kStart + i * 60'000, 1)});
    }
    store.append({at("a", kStart + 2999 * 60'000 - 30'000, 5)});  // A late one.
    store.maintain(kStart + 51 * kHour);
    const auto b = Matcher{"__name__", Matcher::Op::Equal, "b"};
    const auto a = Matcher{"__name__", Matcher::Op::Equal, "a"};
    ASSERT_TRUE(store->delete_series({a}, kStart + kHour, kStart + 30 * kHour).has_value());
    ASSERT_TRUE(store->delete_series({a}, kStart + 2999 * 60'000 - 45'000, kStart + 2999 * 60'000).has_value());
    ASSERT_TRUE(store->delete_series({b}, 0, kStart * 2).has_value());
    const Content want = content(*store);
    ASSERT_TRUE(store->clean_tombstones().has_value());
    EXPECT_EQ(content(*store), want);
    store.reopen();
    EXPECT_EQ(content(*store), want);
    const auto checked = [&] {
        store.close();
        return verify(store.path());
    }();
    ASSERT_TRUE(checked.has_value());
    EXPECT_EQ(checked->samples, want.at("a").size());
    store.reopen();
    store.append({at("a", kStart + 4000 * 60'000, 1), at("b", kStart + 4000 * 60'000, 1)});
    EXPECT_EQ(content(*store).at("b").size(), 1U);
    EXPECT_EQ(content(*store).at("a").size(), want.at("a").size() + 1);
}

}  // namespace
}  // namespace stoker::tsdb
