#include "twin/generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stoker::twin {
namespace {

using ::testing::HasSubstr;

GenerationRequest chat(const std::string& body) {
    auto request = parse_generation_request(Endpoint::Chat, body);
    EXPECT_TRUE(request.has_value()) << body << (request ? "" : request.error().message);
    return std::move(request).value_or({});
}

std::string refused(Endpoint endpoint, const std::string& body) {
    auto request = parse_generation_request(endpoint, body);
    return request ? "accepted" : request.error().message;
}

std::string text(const GenerationRequest& request, std::uint32_t words) {
    std::string out;
    for (std::uint32_t i = 0; i < words; ++i) append_word(out, request, i);
    return out;
}

TEST(GenerationRequest, ReadsWhatMatters) {
    auto request = chat(R"({"model":"m","stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":7,
        "ignore_eos":true,"tools":[{"function":{"model":"x","parameters":{"stream":false}}}],
        "messages":[{"role":"system","content":"12345678"},
                    {"role":"user","content":[{"type":"text","text":"1234"},{"type":"image_url","image_url":{"url":"x"}}]}]})");
    EXPECT_EQ(request.model, "m");
    EXPECT_TRUE(request.stream && request.include_usage && request.ignore_eos);
    EXPECT_EQ(request.max_tokens, 7u);
    EXPECT_EQ(request.prompt_tokens, 4u + 2u + 4u + 1u);
}

TEST(GenerationRequest, CountsTokenIdsExactly) {
    auto request = parse_generation_request(Endpoint::Completion, R"({"model":"m","prompt":[1,2,3,4,5]})");
    ASSERT_TRUE(request.has_value());
    EXPECT_EQ(request->prompt_tokens, 5u);
}

TEST(GenerationRequest, RefusesWithAReason) {
    EXPECT_THAT(refused(Endpoint::Chat, "{"), HasSubstr("JSON decode error"));
    EXPECT_THAT(refused(Endpoint::Chat, ""), HasSubstr("JSON decode error"));
    EXPECT_THAT(refused(Endpoint::Chat, R"({"model":"m"})"), HasSubstr("messages"));
    EXPECT_THAT(refused(Endpoint::Embedding, R"({"model":"m"})"), HasSubstr("input"));
    EXPECT_THAT(refused(Endpoint::Completion, R"({"prompt":"a","max_tokens":0})"), HasSubstr("max_tokens"));
    EXPECT_THAT(refused(Endpoint::Completion, R"({"prompt":["a","b"]})"), HasSubstr("one prompt"));
    EXPECT_THAT(refused(Endpoint::Completion, R"({"prompt":"a","n":2})"), HasSubstr("n must be 1"));
    EXPECT_THAT(refused(Endpoint::Completion, R"({"prompt":"a","stream_options":{"include_usage":true}})"),
                HasSubstr("stream=True"));
    EXPECT_THAT(refused(Endpoint::Chat, std::string(1000, '[')), HasSubstr("nested"));
}

TEST(GenerationRequest, GoesOnWhereTheTextEnds) {
    auto after = [](const std::string& prompt) {
        return parse_generation_request(Endpoint::Completion, "{\"prompt\":\"" + prompt + "\"}")->first_word;
    };
    EXPECT_EQ(after("w0 w1 w2"), 3u);
    EXPECT_EQ(after("w9"), 10u);
    EXPECT_EQ(after("hello"), 0u);
    EXPECT_EQ(after("w1 and"), 0u);
    EXPECT_EQ(after("w1x"), 0u);
    EXPECT_EQ(after("w99999999999999999999"), 0u);
    auto continued = chat(R"({"continue_final_message":true,"messages":[{"role":"user","content":"hi"},
                              {"role":"assistant","content":"w0 w1"}]})");
    EXPECT_EQ(text(continued, 2), " w2 w3");
    EXPECT_EQ(chat(R"({"messages":[{"role":"assistant","content":"w0 w1"}]})").first_word, 0u);
    EXPECT_FALSE(parse_generation_request(
        Endpoint::Chat,
        R"({"continue_final_message":true,"add_generation_prompt":true,"messages":[{"role":"user","content":"hi"}]})"));
}

TEST(GenerationRequest, AnAnswerToContinueCostsWhatItCostWhenItWasMade) {
    const std::string user = R"({"role":"user","content":"hello there"})";
    const auto fresh = *parse_generation_request(Endpoint::Chat, R"({"messages":[)" + user + "]}");
    const std::string so_far = user + R"(,{"role":"assistant","content":"w0 w1 w2"})";
    const auto continued =
        *parse_generation_request(Endpoint::Chat, R"({"continue_final_message":true,"messages":[)" + so_far + "]}");
    EXPECT_EQ(continued.prompt_tokens, fresh.prompt_tokens + 3);
    EXPECT_EQ(continued.first_word, 3u);
    const auto prompt = *parse_generation_request(Endpoint::Completion, R"({"prompt":"four"})");
    EXPECT_EQ(parse_generation_request(Endpoint::Completion, R"({"prompt":"fourw0 w1"})")->prompt_tokens,
              prompt.prompt_tokens + 2);
    EXPECT_EQ(parse_generation_request(Endpoint::Completion, R"({"prompt":"fourw0"})")->first_word, 1u);
}

TEST(GenerationRequest, LlamaCppContinuesUnaskedAndThenRepeats) {
    const std::string body = R"("messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"w0 w1"}]})";
    const auto unasked = *parse_generation_request(Endpoint::Chat, "{" + body, Continuation::LlamaCpp);
    EXPECT_EQ(unasked.first_word, 2u);
    EXPECT_EQ(unasked.echo, "w0 w1");
    const auto asked =
        *parse_generation_request(Endpoint::Chat, R"({"continue_final_message":true,)" + body, Continuation::LlamaCpp);
    EXPECT_EQ(asked.first_word, 2u);
    EXPECT_EQ(asked.echo, "");
}

TEST(GenerationRequest, CommonBeginningsHaveCommonBlocks) {
    std::string shared(128, 'a');
    auto one = chat("{\"messages\":[{\"role\":\"user\",\"content\":\"" + shared + std::string(64, 'b') + "\"}]}");
    auto two = chat("{\"messages\":[{\"role\":\"user\",\"content\":\"" + shared + std::string(64, 'c') + "\"}]}");
    ASSERT_EQ(one.prefix.size(), 3u);
    EXPECT_EQ(one.prefix[1], two.prefix[1]);
    EXPECT_NE(one.prefix[2], two.prefix[2]);
}

struct PlanRow {
    const char* fields;
    std::uint32_t tokens;
    bool by_length;
};

TEST(OutputPlan, EndsAtTheFirstOfItsLimits) {
    Profile profile = *find_profile("tiny");  // Ends by itself after 64 tokens; context 2048.
    const PlanRow rows[] = {
        {R"("max_tokens":10)", 10, true},
        {R"("max_tokens":100)", 64, false},
        {R"("max_tokens":64)", 64, true},
        {R"("max_tokens":100,"ignore_eos":true)", 100, true},
        {R"("ignore_eos":true)", 2047, true},
        {R"("n":1)", 64, false},
        {R"("stop":"w7")", 8, false},
        {R"("stop":["w9","w3"],"max_tokens":20)", 4, false},
        {R"("stop":"never","max_tokens":20)", 20, true},
    };
    for (const auto& row : rows) {
        auto request =
            parse_generation_request(Endpoint::Completion, std::string(R"({"prompt":[1],)") + row.fields + "}");
        ASSERT_TRUE(request.has_value()) << row.fields;
        auto plan = plan_output(*request, profile);
        ASSERT_TRUE(plan.has_value()) << row.fields;
        EXPECT_EQ(plan->tokens, row.tokens) << row.fields;
        EXPECT_EQ(plan->cut_by_length, row.by_length) << row.fields;
    }
    auto request = parse_generation_request(Endpoint::Completion, R"({"prompt":[1,2],"max_tokens":2047})");
    auto plan = plan_output(*request, profile);
    ASSERT_FALSE(plan.has_value());
    EXPECT_THAT(plan.error().message, HasSubstr("maximum context length is 2048 tokens. However, you requested 2049"));
}

}  // namespace
}  // namespace stoker::twin
