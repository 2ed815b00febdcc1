#include "collect/gpu/rocm_clocks.h"

#include <gmock/gmock.h>

#include <cstring>

namespace stoker::collect::rocm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The two layouts, as the two generations of the header declare them.
struct Before6 {
    std::uint32_t count, current;
    std::uint64_t hertz[32];
    std::uint32_t lanes[32];
};
struct Since6 {
    bool deep_sleep;
    std::uint32_t count, current;
    std::uint64_t hertz[33];
    std::uint32_t lanes[33];
};

template <typename Layout>
Clocks read(const Layout& layout) {
    ClockList list{};
    std::memcpy(list.bytes, &layout, sizeof layout);
    return read_clocks(list);
}

TEST(RocmClocks, BothLayouts) {
    const Before6 before{.count = 2, .current = 1, .hertz = {132'000'000, 2'100'000'000}, .lanes = {8, 16}};
    const Since6 since{
        .deep_sleep = true, .count = 2, .current = 1, .hertz = {132'000'000, 2'100'000'000}, .lanes = {8, 16}};
    for (const Clocks& clocks : {read(before), read(since)}) {
        EXPECT_THAT(clocks.hertz, ElementsAre(132'000'000, 2'100'000'000));
        EXPECT_THAT(clocks.lanes, ElementsAre(8, 16));
        EXPECT_EQ(clocks.current, 1U);
    }
}

TEST(RocmClocks, FullLists) {
    Before6 before{.count = 32, .current = 31, .hertz = {}, .lanes = {}};
    Since6 since{.deep_sleep = false, .count = 33, .current = 32, .hertz = {}, .lanes = {}};
    for (std::uint64_t i = 0; i < 33; ++i) {
        if (i < 32) before.hertz[i] = (i + 1) * 100'000'000;
        since.hertz[i] = (i + 1) * 100'000'000;
    }
    EXPECT_EQ(read(before).hertz.back(), 3'200'000'000U);
    EXPECT_EQ(read(before).current, 31U);
    EXPECT_EQ(read(since).hertz.back(), 3'300'000'000U);
    EXPECT_EQ(read(since).current, 32U);
}

// The library begins with an index that is none: one more than the list is long.
TEST(RocmClocks, NoCurrentOne) {
    for (const std::uint32_t none : {34U, 0xFFFFFFFFU}) {
        const auto clocks =
            read(Since6{.deep_sleep = false, .count = 1, .current = none, .hertz = {900'000'000}, .lanes = {}});
        EXPECT_THAT(clocks.hertz, ElementsAre(900'000'000));
        EXPECT_FALSE(clocks.current);
    }
    const auto clocks = read(Before6{.count = 1, .current = 33, .hertz = {900'000'000}, .lanes = {}});
    EXPECT_THAT(clocks.hertz, ElementsAre(900'000'000));
    EXPECT_FALSE(clocks.current);
}

TEST(RocmClocks, NothingAndNonsenseAreEmpty) {
    EXPECT_THAT(read_clocks({}).hertz, IsEmpty());
    ClockList all{};
    std::memset(all.bytes, 0xff, sizeof all.bytes);
    EXPECT_THAT(read_clocks(all).hertz, IsEmpty());
    EXPECT_THAT(read(Before6{.count = 33, .current = 0, .hertz = {900'000'000}, .lanes = {}}).hertz, IsEmpty());
}

}  // namespace
}  // namespace stoker::collect::rocm
