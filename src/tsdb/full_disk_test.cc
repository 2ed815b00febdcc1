// A disk that is full for a while, and one that fails: what is taken, what is said, and what is there afterwards.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "tsdb/faults.h"
#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::content;
using testing::Content;
using testing::TestStore;

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr std::int64_t kHour = 3'600'000;

// Fails some calls while it is told to.
class BadDisk final : public Faults {
public:
    int on(Op op, std::string_view path) override {
        const bool log = path.ends_with(".wal");
        return (log ? log_fails : rest_fails) && op != Op::Truncate && (!only || *only == op) ? error.load() : 0;
    }
    std::atomic<bool> log_fails{false};
    std::atomic<bool> rest_fails{false};
    std::atomic<int> error{ENOSPC};
    std::optional<Op> only;
};

TEST(FullDisk, TheLogRefusesSaysWhyAndGoesOn) {
    BadDisk disk;
    TestStore store({.faults = &disk});
    store.append({at("a", kStart, 1)});
    disk.log_fails = true;
    const auto refused = store->append({at("new", kStart, 1), at("a", kStart + 1, 2)});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::Unavailable);
    EXPECT_FALSE(store->health().has_value());
    EXPECT_NE(store->health().error().message.find("space"), std::string::npos);
    EXPECT_FALSE(store->append({at("a", kStart + 2, 3)}).has_value());
    EXPECT_FALSE(store->maintain(from_millis(kStart)).has_value());
    EXPECT_EQ(content(*store).count("a"), 1U);
    disk.log_fails = false;
    store.maintain(kStart);
    EXPECT_TRUE(store->health().has_value());
    // The series of the refused batch is known by now; its samples must find it after a restart.
    EXPECT_EQ(store.append({at("new", kStart + 5, 2), at("a", kStart + 1, 2)}).duplicates, 1U);
    const Content before = content(*store);
    EXPECT_EQ(before.at("new").size(), 2U);
    store.reopen();
    EXPECT_EQ(content(*store), before);
    EXPECT_TRUE(store->damage().empty());
}

TEST(FullDisk, ChunksWaitUntilThereIsSpace) {
    for (const auto op : {Faults::Op::Create, Faults::Op::Write, Faults::Op::Sync}) {
        SCOPED_TRACE(static_cast<int>(op));
        BadDisk disk;
        disk.only = op;
        TestStore store({.faults = &disk});
        for (std::int64_t i = 0; i < 1000; ++i) {
            store.append({at("a", kStart + i * 1000, static_cast<double>(i)), at("b", kStart + i * 1000, 1)});
        }
        store.maintain(kStart);
        const Content before = content(*store);
        disk.rest_fails = true;
        EXPECT_FALSE(store->maintain(from_millis(kStart + kHour)).has_value());
        EXPECT_EQ(content(*store), before);
        disk.rest_fails = false;
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!store->maintain(from_millis(kStart + kHour + 1000)) && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::yield();
        }
        ASSERT_TRUE(store->health().has_value()) << store->health().error().message;
        store.append({at("c", kStart, 1)});
        EXPECT_EQ(content(*store).size(), 3U);
        store.reopen();
        Content after = content(*store);
        after.erase("c");
        EXPECT_EQ(after, before);
        EXPECT_TRUE(store->damage().empty());
    }
}

TEST(FailedDisk, StaysReadOnlyAndReads) {
    BadDisk disk;
    disk.error = EIO;
    disk.only = Faults::Op::Sync;
    TestStore store({.durability = Durability::Fsync, .faults = &disk});
    store.append({at("a", kStart, 1)});
    disk.log_fails = true;
    EXPECT_FALSE(store->append({at("a", kStart + 1, 2)}).has_value());
    disk.log_fails = false;
    EXPECT_FALSE(store->maintain(from_millis(kStart)).has_value());
    EXPECT_FALSE(store->append({at("a", kStart + 2, 2)}).has_value());
    EXPECT_FALSE(store->health().has_value());
    EXPECT_GE(content(*store).at("a").size(), 1U);
    store.reopen();
    EXPECT_EQ(content(*store).at("a").front().first, kStart);
    EXPECT_TRUE(store->health().has_value());
}

}  // namespace
}  // namespace stoker::tsdb
