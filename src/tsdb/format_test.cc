// Old data opens: a folder that the first format's code wrote, with chunks, heads and a log to replay.
//
// testdata/format-1 holds 700 samples every 15 s of m0 to m3 and the last 100 of m4, checkpointed at 550 of them.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

constexpr std::int64_t kStart = 20'000LL * 24 * 3600 * 1000;

std::string testdata(const std::string& name) {
    const std::string here = __FILE__;
    return here.substr(0, here.rfind('/')) + "/testdata/" + name;
}

double value_of(int series, int i) {
    switch (series) {
        case 0:
            return 42;
        case 1:
            return i * 7.0;
        case 2:
            return i * i / 7.0;
        case 3:
            return i % 50 == 49 ? stale_marker() : i % 10 / 10.0;
        default:
            return std::bit_cast<double>(static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15ULL >> 2);
    }
}

TEST(Format, WhatTheFirstVersionWroteOpensWhole) {
    testing::Content want;
    for (int s = 0; s < 5; ++s) {
        for (int i = s == 4 ? 600 : 0; i < 700; ++i) {
            want["m" + std::to_string(s) + "{kind=\"fixture\"}"].emplace_back(
                kStart + i * 15'000, std::bit_cast<std::uint64_t>(value_of(s, i)));
        }
    }
    testing::TempFolder folder;
    std::filesystem::copy(testdata("format-1"), folder.path(),
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
    const StoreOptions options{.retention = Duration(100'000LL * 24 * 3600 * 1000), .checkpoint_bytes = 1};
    for (int round = 0; round < 3; ++round) {
        metrics::Registry registry;
        auto store = Store::open(folder.path(), options, registry);
        ASSERT_TRUE(store.has_value()) << store.error().message;
        EXPECT_EQ(testing::content(**store), want) << "round " << round;
        EXPECT_TRUE((*store)->maintain(from_millis(kStart + 700 * 15'000 + round * 3 * 3'600'000)).has_value());
        EXPECT_EQ(testing::content(**store), want) << "round " << round;
    }
}

}  // namespace
}  // namespace stoker::tsdb
