// Which paths lead to an engine.
#include "gateway/endpoint.h"

#include <gtest/gtest.h>

namespace stoker::gateway {
namespace {

using wire::Dialect;

TEST(Endpoint, KnowsTheApis) {
    EXPECT_EQ(find_endpoint("/v1/chat/completions")->dialect, Dialect::Chat);
    EXPECT_TRUE(find_endpoint("/v1/chat/completions")->can_stream_usage);
    EXPECT_EQ(find_endpoint("/v1/responses")->dialect, Dialect::Responses);
    EXPECT_EQ(find_endpoint("/v1/messages/count_tokens")->dialect, Dialect::Messages);
    EXPECT_FALSE(find_endpoint("/v1/messages")->can_stream_usage);
    EXPECT_EQ(find_endpoint("/tokenize")->dialect, Dialect::Other);
    EXPECT_EQ(find_endpoint("/v1/messages/batches")->dialect, Dialect::Messages) << "errors in Anthropic's shape";
}

TEST(Endpoint, PassesOnWhatIsNewUnderV1) {
    EXPECT_TRUE(find_endpoint("/v1/something-new/x.y"));
    EXPECT_TRUE(find_endpoint("/v1/something-new")->path.empty());
}

TEST(Endpoint, PassesOnNothingThatManagesAnEngineOrHidesItsPath) {
    for (const std::string_view path :
         {"/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/metrics", "/reset_prefix_cache", "/v1", "/v1/", "/",
          "/v1/../metrics", "/v1//x", "/v1/./load_lora_adapter", "/v1/%2e%2e/metrics", "/v1/a\\b", "/v1/x/",
          "/v1/load_lora_adapter/", "/V1/x", "/v1/a b"}) {
        EXPECT_FALSE(find_endpoint(path)) << path;
    }
}

}  // namespace
}  // namespace stoker::gateway
