#include "api/router.h"

#include <gmock/gmock.h>

namespace stoker::api {
namespace {

Router example() {
    auto handler = [](const ApiRequest&) { return net::Response{}; };
    return Router({{"GET", "/metrics", Cost::Quick, handler},
                   {"GET,POST", "/api/v1/query", Cost::Work, handler},
                   {"POST", "/api/v1/incidents/*/approve", Cost::Work, handler},
                   {"GET", "/api/v1/incidents/*", Cost::Work, handler}});
}

TEST(Router, FindsByMethodAndPath) {
    auto router = example();
    EXPECT_EQ(router.find("GET", "/metrics").route->pattern, "/metrics");
    EXPECT_EQ(router.find("HEAD", "/metrics").route->pattern, "/metrics");
    EXPECT_EQ(router.find("POST", "/api/v1/query").route->pattern, "/api/v1/query");
    EXPECT_EQ(router.find("GET", "/api/v1/nothing").route, nullptr);
    EXPECT_EQ(router.find("GET", "/metrics/").route, nullptr);
}

TEST(Router, CapturesDecodedSegments) {
    auto match = example().find("GET", "/api/v1/incidents/inc_1%2F2");
    EXPECT_THAT(match.captures, testing::ElementsAre("inc_1/2"));
    EXPECT_THAT(example().find("POST", "/api/v1/incidents/a+b&c=d/approve").captures, testing::ElementsAre("a+b&c=d"));
    EXPECT_EQ(example().find("GET", "/api/v1/incidents/").route, nullptr);
}

TEST(Router, SaysWhichMethodsAreAllowed) {
    auto match = example().find("DELETE", "/api/v1/query");
    EXPECT_EQ(match.route, nullptr);
    EXPECT_TRUE(match.path_known);
    EXPECT_EQ(match.allowed, "GET,POST");
}

}  // namespace
}  // namespace stoker::api
