#include "api/live.h"

#include <gtest/gtest.h>

namespace stoker::api {
namespace {

TEST(Live, EverySubscriberGetsEveryEvent) {
    Live live;
    auto one = live.subscribe();
    auto two = live.subscribe();
    live.publish("overview", "{\"a\":1}");
    EXPECT_EQ(one->take(), "event: overview\ndata: {\"a\":1}\n\n");
    EXPECT_EQ(two->take(), "event: overview\ndata: {\"a\":1}\n\n");
    EXPECT_EQ(one->take(), "");
}

TEST(Live, ForgetsThoseWhoLeft) {
    Live live;
    auto one = live.subscribe();
    EXPECT_EQ(live.subscribers(), 1u);
    one.reset();
    EXPECT_EQ(live.subscribers(), 0u);
    live.publish("x", "{}");
}

TEST(Live, SlowReaderLosesTheOldest) {
    Live live;
    auto slow = live.subscribe();
    for (int i = 0; i < 300; ++i) live.publish("n", std::to_string(i));
    auto text = slow->take();
    EXPECT_EQ(text.find("data: 43\n"), std::string::npos);
    EXPECT_NE(text.find("data: 44\n"), std::string::npos);
    EXPECT_NE(text.find("data: 299\n"), std::string::npos);
}

}  // namespace
}  // namespace stoker::api
