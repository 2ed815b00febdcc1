#include "tsdb/pointer_map.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

namespace stoker::tsdb {
namespace {

TEST(PointerMap, AgreesWithTheStandardOneThroughInsertsAndErasures) {
    static int targets[64];
    for (unsigned seed = 0; seed < 50; ++seed) {
        std::mt19937_64 random(seed);
        PointerMap<int> map;
        std::unordered_map<std::uint64_t, int*> want;
        for (int i = 0; i < 3000; ++i) {
            // Ids of one shard, hashes, and few enough to meet again.
            const std::uint64_t key = seed % 2 == 0 ? random() % 500 * 16 : (random() % 500) << 55;
            if (random() % 5 < 2) {
                map.erase(key);
                want.erase(key);
            } else {
                int* target = &targets[random() % 64];
                map.set(key, target);
                want[key] = target;
            }
            ASSERT_EQ(map.size(), want.size());
        }
        for (std::uint64_t i = 0; i < 500; ++i) {
            for (const std::uint64_t key : {i * 16, i << 55}) {
                const auto found = want.find(key);
                ASSERT_EQ(map.find(key), found == want.end() ? nullptr : found->second) << key;
            }
        }
    }
}

TEST(PointerMap, EmptyFindsNothing) {
    PointerMap<int> map;
    EXPECT_EQ(map.find(0), nullptr);
    map.erase(0);
    EXPECT_EQ(map.size(), 0U);
}

}  // namespace
}  // namespace stoker::tsdb
