// Requests that are continued, those that are not, and events made to fit.
#include "wire/continuation.h"

#include <gtest/gtest.h>

#include "wire/openai.h"

namespace stoker::wire {
namespace {

std::string continued(std::string_view body, std::string_view text, std::int64_t tokens) {
    const auto request = continue_request(body, {std::string(text), tokens});
    if (!request) return "! " + request.error().message;
    EXPECT_TRUE(scan_request(request->body)) << request->body;
    return request->body;
}

TEST(ContinueRequest, AddsTheAnswerSoFarAsTheLastMessage) {
    EXPECT_EQ(
        continued(R"({"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":60})", R"(a \"b\")", 40),
        R"({"continue_final_message":true,"add_generation_prompt":false,"model":"m","messages":[)"
        R"({"role":"user","content":"hi"},{"role":"assistant","content":"a \"b\""}],"max_tokens":20})");
    EXPECT_EQ(
        continued(R"({"messages": [ {"role":"user"} ] ,"model":"m","min_tokens":5,"max_completion_tokens":9})", "x", 7),
        R"({"continue_final_message":true,"add_generation_prompt":false,"messages": [ {"role":"user"} )"
        R"(,{"role":"assistant","content":"x"}] ,"model":"m","min_tokens":0,"max_completion_tokens":2})");
}

TEST(ContinueRequest, EndsAPromptInWhatThereIs) {
    EXPECT_EQ(continued(R"({"model":"m","prompt":"once","max_tokens":16})", R"( upon\na)", 3),
              R"({"model":"m","prompt":"once upon\na","max_tokens":13})");
    EXPECT_EQ(continued(R"({"model":"m","prompt":"","n":1,"echo":false,"suffix":null,"logprobs":null})", "a", 1),
              R"({"model":"m","prompt":"a","n":1,"echo":false,"suffix":null,"logprobs":null})");
}

TEST(ContinueRequest, SaysWhyItCannot) {
    const std::string chat = R"({"model":"m","messages":[{"role":"user","content":"hi"}],)";
    const std::pair<std::string, std::string> cases[] = {
        {R"({"model":"m"})", "! not_text"},
        {R"({"model":"m","input":"x"})", "! not_text"},
        {R"({"model":"m","prompt":[1,2,3]})", "! not_text"},
        {R"({"model":"m","prompt":["a","b"]})", "! not_text"},
        {R"({"model":"m","prompt":"a","echo":true})", "! prefilled"},
        {R"({"model":"m","prompt":"a","suffix":"z"})", "! prefilled"},
        {R"({"model":"m","prompt":"a","logprobs":3})", "! logprobs"},
        {R"({"model":"m","messages":[]})", "! prefilled"},
        {R"({"model":"m","messages":[{"role":"assistant","content":"I"}]})", "! prefilled"},
        {chat + R"("n":2})", "! many_choices"},
        {chat + R"("best_of":3})", "! many_choices"},
        {chat + R"("logprobs":true})", "! logprobs"},
        {chat + R"("response_format":{"type":"json_object"}})", "! structured"},
        {chat + R"("guided_json":{}})", "! structured"},
        {chat + R"("continue_final_message":true})", "! prefilled"},
        {chat + R"("modalities":["audio"]})", "! not_text"},
    };
    for (const auto& [body, why] : cases) EXPECT_EQ(continued(body, "a", 1), why) << body;
    EXPECT_NE(continued(chat + R"("response_format":{"type":"text"},"logprobs":false,"tools":[]})", "a", 1)[0], '!');
}

TEST(ContinueRequest, KnowsWhenNothingIsLeftToAsk) {
    const std::string body = R"({"model":"m","prompt":"a","max_tokens":5})";
    EXPECT_TRUE(continue_request(body, {"x", 5})->complete);
    EXPECT_FALSE(continue_request(body, {"x", 4})->complete);
}

TEST(ContinueRequest, HoldsBackTheWhiteSpaceThatTemplatesTrim) {
    const std::string body = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
    const auto held = [&](std::string text) {
        auto request = continue_request(body, {std::move(text), 1});
        const auto at = request->body.rfind(R"("content":")") + 11;
        return request->body.substr(at, request->body.rfind("\"}]") - at) + "|" + request->held_back;
    };
    EXPECT_EQ(held("a b"), "a b|");
    EXPECT_EQ(held(R"(a \n\n)"), "a| \n\n");
    EXPECT_EQ(held(R"(a\\n)"), R"(a\\n|)") << "a backslash and an n";
    EXPECT_EQ(held(R"(a\\\n)"), "a\\\\|\n");
    EXPECT_EQ(held(R"(\n)"), R"(\n|)") << "white space alone is all there is to continue";
}

struct Stream {
    explicit Stream(AnswerSoFar so_far, std::int64_t pieces = 1, std::string held_back = {})
        : splice({R"("first")", "7", R"("m")", ""}, so_far, pieces, std::move(held_back)) {}
    std::string operator()(std::string_view event) { return splice.rewrite(event).value_or("-"); }
    Splice splice;
};

TEST(Splice, MakesEventsThoseOfTheFirstStream) {
    Stream stream({"a", 40});
    EXPECT_EQ(
        stream(
            R"({"id":"second","created":9,"model":"x","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})"),
        "-");
    EXPECT_EQ(stream(R"({"id":"second","created":9,"model":"x","choices":[{"index":0,"delta":{"content":"b"}}]})"),
              R"({"id":"first","created":7,"model":"m","choices":[{"index":0,"delta":{"content":"b"}}]})");
    EXPECT_EQ(stream(R"({"choices":[{"delta":{"role":"assistant","content":"b"},"finish_reason":"stop"}]})"),
              R"({"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]})");
    EXPECT_EQ(stream(R"({"choices":[{"delta":{"content":"b","role":"assistant"}}]})"),
              R"({"choices":[{"delta":{"content":"b"}}]})");
    EXPECT_EQ(stream(R"({"choices":[],"usage":{"prompt_tokens":50,"total_tokens":70,"completion_tokens":20}})"),
              R"({"choices":[],"usage":{"prompt_tokens":10,"total_tokens":70,"completion_tokens":60}})");
}

TEST(Splice, DropsWhatTheEngineSaysAgain) {
    Stream echo({R"(a \u0062 c)", 3}, 3);
    EXPECT_EQ(echo(R"({"choices":[{"text":"a b c d"}]})"), R"({"choices":[{"text":" d"}]})");
    EXPECT_EQ(echo(R"({"choices":[{"text":"a b c"}]})"), R"({"choices":[{"text":"a b c"}]})") << "only once";
    Stream same({"ha", 1}, 1);
    EXPECT_EQ(same(R"({"choices":[{"text":"ha"}]})"), R"({"choices":[{"text":"ha"}]})") << "one token may come twice";
    Stream blank({R"(a\n\n)", 2}, 2, "\n\n");
    EXPECT_EQ(blank(R"({"choices":[{"delta":{"content":"\n"}}]})"), "-");
    EXPECT_EQ(blank(R"({"choices":[{"delta":{"content":"\nb\n"}}]})"), R"({"choices":[{"delta":{"content":"b\n"}}]})");
    EXPECT_EQ(blank(R"({"choices":[{"delta":{"content":"\n"}}]})"), R"({"choices":[{"delta":{"content":"\n"}}]})");
}

TEST(Splice, ReadsWhatEventsHaveInCommon) {
    const auto identity =
        read_identity(R"({"id":"c-1","object":"o","created":12,"model":"m","system_fingerprint":null})");
    EXPECT_EQ(identity.id, R"("c-1")");
    EXPECT_EQ(identity.created, "12");
    EXPECT_EQ(identity.model, R"("m")");
    EXPECT_EQ(identity.fingerprint, "null");
}

}  // namespace
}  // namespace stoker::wire
