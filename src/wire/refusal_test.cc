#include "wire/refusal.h"

#include <gtest/gtest.h>

namespace stoker::wire {
namespace {

struct Said {
    const char* who;
    int status;
    const char* body;
    Refusal expected;
};

// As seen in the wild, shortened.
constexpr Said kSaid[] = {
    {"OpenAI", 400,
     R"({"error":{"message":"This model's maximum context length is 4097 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}})",
     Refusal::ContextTooLong},
    {"OpenAI responses", 400,
     R"({"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","code":null}})",
     Refusal::ContextTooLong},
    {"vLLM, older", 400,
     R"({"object":"error","message":"This model's maximum context length is 16384 tokens. However, you requested 19591 tokens","type":"BadRequestError","param":null,"code":400})",
     Refusal::ContextTooLong},
    {"vLLM, multimodal", 400,
     R"({"error":{"message":"The decoder prompt (length 10127) is longer than the maximum model length of 8192.","type":"BadRequestError","code":400}})",
     Refusal::ContextTooLong},
    {"SGLang", 400,
     R"({"object":"error","message":"The input (61709 tokens) is longer than the model's context length (40960 tokens).","type":"BadRequestError","code":400})",
     Refusal::ContextTooLong},
    {"llama.cpp", 400,
     R"({"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error","n_prompt_tokens":600,"n_ctx":512}})",
     Refusal::ContextTooLong},
    {"TGI", 422,
     R"({"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1244","error_type":"validation"})",
     Refusal::ContextTooLong},
    {"Anthropic", 400,
     R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}})",
     Refusal::ContextTooLong},
    {"an escaped message", 400, R"({"error":{"message":"This model\u0027s maximum cont\u0065xt length is 1"}})",
     Refusal::ContextTooLong},
    {"Azure", 400,
     R"({"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}})",
     Refusal::ContentRefused},
    {"Azure, the inner error alone", 400,
     R"({"error":{"message":"no","innererror":{"code":"ResponsibleAIPolicyViolation"}}})", Refusal::ContentRefused},
    {"OpenAI images", 400,
     R"({"error":{"code":"content_policy_violation","message":"Your request was rejected by our safety system."}})",
     Refusal::ContentRefused},
    {"Anthropic's filter", 400,
     R"({"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}})",
     Refusal::ContentRefused},
    {"DeepSeek", 400, R"({"error":{"message":"Content Exists Risk","code":"invalid_request_error"}})",
     Refusal::ContentRefused},
    {"a wrong parameter", 400,
     R"({"error":{"message":"temperature must be between 0 and 2","type":"invalid_request_error","code":null}})",
     Refusal::Other},
    {"a prompt echoed elsewhere", 400,
     R"({"error":{"message":"bad role"},"input":"maximum context length content_filter"})", Refusal::Other},
    {"too many requests", 429, R"({"error":{"message":"reduce the length of the messages"}})", Refusal::Other},
    {"no key", 401, R"({"error":{"message":"content policy"}})", Refusal::Other},
    {"the engine's own fault", 500, R"({"error":{"message":"maximum context length"}})", Refusal::Other},
    {"not JSON", 400, "maximum context length", Refusal::Other},
    {"broken JSON", 400, R"({"error":{"message":"maximum context length"})", Refusal::Other},
    {"too deep", 400, R"({"error":{"error":{"error":{"error":{"code":"content_filter"}}}}})", Refusal::Other},
    {"nothing", 400, "", Refusal::Other},
};

TEST(Refusal, KnowsTheWordsOfEnginesAndProviders) {
    for (const Said& said : kSaid) EXPECT_EQ(classify_refusal(said.status, said.body), said.expected) << said.who;
}

TEST(Refusal, AFilterTakesAnAnswerAway) {
    EXPECT_TRUE(is_filtered("content_filter"));
    EXPECT_TRUE(is_filtered("refusal"));
    EXPECT_FALSE(is_filtered("stop"));
    EXPECT_FALSE(is_filtered(""));
}

}  // namespace
}  // namespace stoker::wire
