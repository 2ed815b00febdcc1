#include "gateway/cache/answer_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBody = 1000;

// Keys of one shard, so that its bound can be seen.
CacheKey key(std::uint8_t number) {
    CacheKey made{};
    made[0] = number;
    return made;
}

class AnswerCacheTest : public testing::Test {
protected:
    // Room for so many answers in a shard.
    void room(std::size_t answers, double tenant_share = 1) {
        cache_.configure(answers * size() * AnswerCache::kShards, tenant_share);
    }
    static std::shared_ptr<CachedAnswer> answer(const std::string& tenant = "acme", const std::string& model = "tiny") {
        auto made = std::make_shared<CachedAnswer>();
        made->tenant = tenant;
        made->model = model;
        made->body = std::string(kBody, 'x');
        made->expires = SteadyTime{} + 1min;
        return made;
    }
    static std::size_t size() { return answer()->bytes(); }
    void put(std::uint8_t number, const std::string& tenant = "acme", const std::string& model = "tiny") {
        cache_.put(key(number), answer(tenant, model));
    }
    bool has(std::uint8_t number, SteadyTime now = SteadyTime{} + 1s) {
        return cache_.find(key(number), now) != nullptr;
    }
    double evicted(const char* reason) {
        return registry_.counter("stoker_cache_evictions_total", "", {"reason"}).with({reason}).value();
    }

    metrics::Registry registry_;
    AnswerCache cache_{registry_};
};

TEST_F(AnswerCacheTest, TheOneUsedLongestAgoGoesFirst) {
    room(3);
    for (std::uint8_t i = 0; i < 3; ++i) put(i);
    EXPECT_TRUE(has(0));
    put(3);
    EXPECT_TRUE(has(0));
    EXPECT_FALSE(has(1));
    EXPECT_TRUE(has(2));
    EXPECT_TRUE(has(3));
    EXPECT_EQ(evicted("size") + evicted("tenant_share"), 1);
    EXPECT_EQ(cache_.report({}, 10).bytes, 3 * size());
}

TEST_F(AnswerCacheTest, AnAnswerEndsWithItsTime) {
    room(3);
    put(1);
    EXPECT_TRUE(has(1, SteadyTime{} + 59s));
    EXPECT_FALSE(has(1, SteadyTime{} + 60s));
    EXPECT_EQ(evicted("expired"), 1);
    EXPECT_EQ(cache_.report({}, 10).entries, 0u);
}

TEST_F(AnswerCacheTest, OneTenantPushesOutItsOwn) {
    room(4, 0.5);
    put(0, "ajax");
    for (std::uint8_t i = 1; i < 20; ++i) put(i, "acme");
    EXPECT_TRUE(has(0));
    EXPECT_TRUE(has(19));
    EXPECT_TRUE(has(18));
    EXPECT_FALSE(has(17));
    EXPECT_EQ(evicted("size"), 0);
    EXPECT_EQ(evicted("tenant_share"), 17);
}

TEST_F(AnswerCacheTest, TheSameKeyAgainReplaces) {
    room(3);
    for (int i = 0; i < 100; ++i) put(1);
    EXPECT_EQ(cache_.report({}, 10).bytes, size());
    EXPECT_EQ(evicted("size") + evicted("tenant_share"), 0);
}

TEST_F(AnswerCacheTest, WhatDoesNotFitIsNotTaken) {
    room(1, 0.5);
    put(1);
    EXPECT_FALSE(has(1));
    EXPECT_EQ(cache_.report({}, 10).bytes, 0u);
}

TEST_F(AnswerCacheTest, LessRoomTakesEffectAtOnce) {
    room(4);
    for (std::uint8_t i = 0; i < 4; ++i) put(i, i % 2 == 0 ? "acme" : "ajax");
    room(1);
    EXPECT_EQ(cache_.report({}, 10).entries, 1u);
    EXPECT_TRUE(has(3));
    cache_.configure(0, 1);
    EXPECT_EQ(cache_.report({}, 10).bytes, 0u);
}

TEST_F(AnswerCacheTest, PurgesWhatIsNamed) {
    room(10);
    put(1, "acme", "tiny");
    put(2, "acme", "big");
    put(3, "ajax", "big");
    EXPECT_EQ(cache_.purge({.tenant = "acme", .model = "big"}), 1u);
    EXPECT_EQ(cache_.purge({.key = "03"}), 1u);
    EXPECT_TRUE(has(1));
    EXPECT_EQ(cache_.purge({}), 1u);
    EXPECT_EQ(cache_.report({}, 10).bytes, 0u);
}

}  // namespace
}  // namespace stoker::gateway
