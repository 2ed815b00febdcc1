// Following a resource: pages, events, and everything that goes wrong with it.
#include "collect/discovery/kubernetes_watch.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace stoker::collect {
namespace {

using Ask = KubernetesWatch::Ask;

std::string object(const std::string& name, const std::string& version) {
    return R"({"metadata":{"namespace":"d","name":")" + name + R"(","resourceVersion":")" + version +
           R"(","managedFields":[1]}})";
}

std::string page(const std::string& items, const std::string& version, const std::string& more = "") {
    return R"({"metadata":{"resourceVersion":")" + version + R"(","continue":")" + more + R"("},"items":[)" + items +
           "]}";
}

std::string event(const std::string& type, const std::string& what) {
    return R"({"type":")" + type + R"(","object":)" + what + "}";
}

std::string names(const KubernetesWatch& watch) {
    std::string out;
    for (const auto& [key, object] : watch.objects()) out += (out.empty() ? "" : " ") + key;
    return out;
}

struct KubernetesWatchTest : testing::Test {
    KubernetesWatch watch{{"app=x", ""}};

    void list() {
        const auto whole = watch.listed(page(object("a", "1") + "," + object("b", "2"), "10"));
        ASSERT_TRUE(whole && *whole);
    }
};

TEST_F(KubernetesWatchTest, ListsPageByPageThenWatches) {
    EXPECT_EQ(watch.next().ask, Ask::List);
    EXPECT_EQ(watch.next().query, "?labelSelector=app%3Dx&limit=500");
    const auto first = watch.listed(page(object("a", "1"), "10", "to+ken"));
    ASSERT_TRUE(first);
    EXPECT_FALSE(*first);
    EXPECT_FALSE(watch.complete());
    EXPECT_EQ(names(watch), "");
    EXPECT_EQ(watch.next().query, "?labelSelector=app%3Dx&limit=500&continue=to%2Bken");
    const auto last = watch.listed(page(object("b", "2"), "10"));
    ASSERT_TRUE(last);
    EXPECT_TRUE(*last);
    EXPECT_EQ(names(watch), "d/a d/b");
    EXPECT_EQ(watch.next().ask, Ask::Watch);
    EXPECT_THAT(watch.next().query, testing::HasSubstr("&resourceVersion=10"));
    EXPECT_THAT(watch.next().query, testing::HasSubstr("allowWatchBookmarks=true"));
    EXPECT_FALSE(watch.objects().at("d/a").at("metadata").contains("managedFields"));
}

TEST_F(KubernetesWatchTest, EventsChangeObjectsAndMoveTheVersion) {
    list();
    EXPECT_TRUE(watch.event(event("ADDED", object("c", "11"))).value_or(false));
    EXPECT_TRUE(watch.event(event("DELETED", object("a", "12"))).value_or(false));
    EXPECT_TRUE(watch.event(event("MODIFIED", object("b", "13"))).value_or(false));
    EXPECT_EQ(names(watch), "d/b d/c");
    const auto bookmark = watch.event(event("BOOKMARK", R"({"metadata":{"resourceVersion":"99"}})"));
    ASSERT_TRUE(bookmark);
    EXPECT_FALSE(*bookmark);
    EXPECT_EQ(watch.version(), "99");
    watch.ended(Duration{300'000});
    EXPECT_EQ(watch.next().ask, Ask::Watch);
    EXPECT_EQ(watch.next().wait, Duration{0});
    EXPECT_THAT(watch.next().query, testing::HasSubstr("resourceVersion=99"));
}

TEST_F(KubernetesWatchTest, GoneMeansANewListAndKeepsTheOldObjects) {
    list();
    const auto gone =
        watch.event(event("ERROR", R"({"kind":"Status","code":410,"message":"too old resource version"})"));
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, Errc::Unavailable);
    EXPECT_EQ(watch.next().ask, Ask::List);
    EXPECT_EQ(watch.next().wait, Duration{0});
    EXPECT_EQ(names(watch), "d/a d/b");
    ASSERT_TRUE(watch.listed(page(object("z", "50"), "60")));
    EXPECT_EQ(names(watch), "d/z");
}

TEST_F(KubernetesWatchTest, APageThatIsGoneStartsTheListAgainAfterAPause) {
    ASSERT_TRUE(watch.listed(page(object("a", "1"), "10", "more")));
    watch.failed(410);
    EXPECT_EQ(watch.next().query, "?labelSelector=app%3Dx&limit=500");
    EXPECT_GT(watch.next().wait, Duration{0});
    ASSERT_TRUE(watch.listed(page(object("b", "2"), "11")));
    EXPECT_EQ(names(watch), "d/b");
}

TEST_F(KubernetesWatchTest, FailuresWaitLongerAndLoseNothing) {
    list();
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 9; ++i) {
        watch.failed(i % 2 == 0 ? 0 : 503);
        waits.push_back(watch.next().wait.count());
    }
    EXPECT_THAT(waits, testing::ElementsAre(500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000));
    EXPECT_EQ(names(watch), "d/a d/b");
    EXPECT_EQ(watch.next().ask, Ask::Watch);
    ASSERT_TRUE(watch.event(event("ADDED", object("c", "11"))));
    EXPECT_EQ(watch.next().wait, Duration{0});
}

TEST_F(KubernetesWatchTest, AWatchThatIsOverAtOnceIsNotAskedForAtOnce) {
    list();
    watch.ended(Duration{3});
    EXPECT_GT(watch.next().wait, Duration{0});
    watch.ended(Duration{5'000});
    EXPECT_EQ(watch.next().wait, Duration{0});
}

TEST_F(KubernetesWatchTest, WhatIsNoListAndNoEventIsRefused) {
    for (const char* body : {"", "[]", "{}", R"({"items":[]})", R"({"items":{},"metadata":{"resourceVersion":"1"}})"}) {
        EXPECT_FALSE(watch.listed(body)) << body;
    }
    list();
    for (const char* line :
         {"", "{}", "1", R"({"type":"ADDED"})", R"({"type":"ADDED","object":[]})", R"({"type":"OTHER","object":{}})"}) {
        EXPECT_FALSE(watch.event(line)) << line;
    }
    EXPECT_EQ(names(watch), "d/a d/b");
}

}  // namespace
}  // namespace stoker::collect
