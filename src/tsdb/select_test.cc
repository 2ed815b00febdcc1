// What a selector finds when it is asked again: series that came meanwhile, and none that went.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tsdb/archive.h"
#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::content;
using testing::TestStore;

const std::vector<Matcher> kUps{{"__name__", Matcher::Op::Regex, "up.*"}};
constexpr std::int64_t kDay = 20'000 * kPartitionMillis;

TEST(Select, ASelectorAskedBeforeFindsWhatCame) {
    TestStore store;
    EXPECT_EQ(content(*store, kUps).size(), 0U);
    store.append({at("up_b", kDay, 1), at("down", kDay, 1)});
    EXPECT_EQ(content(*store, kUps).size(), 1U);
    store.append({at("up_a", kDay, 1), at("up_c", kDay, 1)});
    const auto found = store->select(kUps, kDay, kDay, 0);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 3U);
    EXPECT_EQ((*found)[0]->labels().metric(), "up_a");
    EXPECT_EQ((*found)[1]->labels().metric(), "up_b");
    EXPECT_EQ((*found)[2]->labels().metric(), "up_c");
    EXPECT_FALSE(store->select(kUps, kDay, kDay, 2)) << "the limit holds for what is remembered too";
}

// Series of a day, past retention the next week: they leave, and one with the same labels that comes back has another
// id.
TEST(Select, ASelectorAskedBeforeMissesWhatWent) {
    TestStore store(
        {.retention = Duration(kPartitionMillis), .rollup_retention = Duration(0), .checkpoint_interval = Duration(1)});
    store.append({at("up_a", kDay, 1), at("up_b", kDay, 1)});
    EXPECT_EQ(content(*store, kUps).size(), 2U);
    const std::int64_t later = kDay + 7 * kPartitionMillis;
    store.append({at("up_z", later, 1)});
    for (int i = 0; i < 5; ++i) store.maintain(later + i * 3'600'000);
    EXPECT_EQ(content(*store, kUps).size(), 1U);
    store.append({at("up_a", later + 5 * 3'600'000, 2)});
    EXPECT_EQ(content(*store, kUps).size(), 2U);
}

// What is acknowledged is found, however many come at the same time.
TEST(Select, FindsWhatIsAcknowledgedWhileOthersCome) {
    TestStore store;
    std::atomic<bool> stop{false};
    std::thread others([&] {
        for (int i = 0; i < 5'000 && !stop; ++i) store.append({at("up_other_" + std::to_string(i), kDay + i, 1)});
    });
    std::thread asking([&] {
        while (!stop) content(*store, kUps, kDay, kDay);
    });
    for (int i = 0; i < 300; ++i) {
        const std::string name = "up_mine_" + std::to_string(i);
        store.append({at(name, kDay, 1)});
        const auto found = store->select({{"__name__", Matcher::Op::Regex, "up_mine_.*"}}, kDay, kDay, 0);
        EXPECT_TRUE(found && found->size() == static_cast<std::size_t>(i) + 1) << name;
    }
    stop = true;
    others.join();
    asking.join();
}

}  // namespace
}  // namespace stoker::tsdb
