#include "base/id.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

namespace stoker {
namespace {

TEST(Id, HexHasTheLengthAskedFor) {
    for (std::size_t bytes : {0, 1, 8, 9, 16}) {
        const std::string hex = random_hex(bytes);
        EXPECT_EQ(hex.size(), 2 * bytes);
        EXPECT_EQ(hex.find_first_not_of("0123456789abcdef"), std::string::npos);
    }
}

TEST(Id, DiffersBetweenCallsAndThreads) {
    constexpr int kThreads = 4;
    constexpr int kIds = 1000;
    std::vector<std::vector<std::string>> made(kThreads);
    std::vector<std::thread> threads;
    for (auto& ids : made) {
        threads.emplace_back([&ids] {
            for (int i = 0; i < kIds; ++i) ids.push_back(make_id("req_"));
        });
    }
    for (auto& thread : threads) thread.join();
    std::set<std::string> all;
    for (const auto& ids : made) all.insert(ids.begin(), ids.end());
    EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * kIds));
}

TEST(Id, SortsByCreation) {
    const std::string first = make_id("req_");
    EXPECT_TRUE(first.starts_with("req_0"));
    EXPECT_EQ(first.size(), 4U + 12 + 20);
    std::string later = make_id("req_");
    while (later.substr(0, 16) == first.substr(0, 16)) later = make_id("req_");
    EXPECT_LT(first, later);
}

TEST(Id, NamedIsAKeyOfItsOwnType) {
    using Tenant = Named<std::string, struct TenantTag>;
    std::unordered_map<Tenant, int> counts;
    ++counts[Tenant{"a"}];
    ++counts[Tenant{"a"}];
    EXPECT_EQ(counts[Tenant{"a"}], 2);
    EXPECT_LT(Tenant{"a"}, Tenant{"b"});
}

}  // namespace
}  // namespace stoker
