// What each API's answers, events and errors say.
#include "wire/dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/responses.h"

namespace stoker::wire {
namespace {

using testing::HasSubstr;

AnswerScan event(Dialect dialect, std::string_view json) {
    const auto scan = scan_event(dialect, json);
    EXPECT_TRUE(scan.has_value()) << json;
    return scan ? *scan : AnswerScan{};
}

Usage usage_of(std::string_view json) {
    JsonCursor cursor(json);
    const auto usage = scan_usage(cursor);
    EXPECT_TRUE(usage.has_value() && !cursor.failed()) << json;
    return usage.value_or(Usage{});
}

TEST(Usage, IsReadInTheWordsOfEveryApi) {
    EXPECT_EQ(usage_of(R"({"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,
        "prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1},"completion_tokens_details":{"reasoning_tokens":5}})"),
              (Usage{10, 20, 4, 0, 5, true}));
    EXPECT_EQ(usage_of(R"({"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":20,
        "output_tokens_details":{"reasoning_tokens":5},"total_tokens":30})"),
              (Usage{10, 20, 4, 0, 5, true}));
    EXPECT_EQ(usage_of(R"({"input_tokens":10,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,
        "output_tokens":20})"),
              (Usage{1110, 20, 1000, 100, 0, true}))
        << "Anthropic's input_tokens leave out what the cache gave and took";
    EXPECT_EQ(usage_of(R"({"total_tokens":7})"), (Usage{7, 0, 0, 0, 0}));
    EXPECT_EQ(usage_of(R"({"prompt_tokens":7,"completion_tokens":9,"reasoning_tokens":4})"), (Usage{7, 9, 0, 0, 4}));
    EXPECT_EQ(usage_of(R"({"prompt_tokens":7,"prompt_tokens_details":null})"), (Usage{7, 0, 0, 0, 0}));
    EXPECT_EQ(usage_of(R"({"prompt_tokens":-7,"completion_tokens":"many"})"), (Usage{0, 0, 0, 0, 0}));
    JsonCursor seconds(R"({"type":"duration","seconds":9})");
    EXPECT_FALSE(scan_usage(seconds));
}

TEST(MessageEvent, TellsStartContentAndEnd) {
    const auto start = event(Dialect::Messages, R"({"type":"message_start","message":{"id":"m","content":[],
        "stop_reason":null,"usage":{"input_tokens":25,"cache_read_input_tokens":5,"output_tokens":1}}})");
    EXPECT_EQ(start.choices_seen, 1u);
    EXPECT_FALSE(start.has_content);
    EXPECT_TRUE(start.usage_so_far);
    EXPECT_EQ(start.usage->prompt_tokens, 30);
    struct Case {
        std::string_view json;
        bool content;
    };
    const Case cases[] = {
        {R"({"type":"ping"})", false},
        {R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})", false},
        {R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"get","input":{}}})",
         true},
        {R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}})", true},
        {R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}})", false},
        {R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})", true},
        {R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}})", true},
        {R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"xyz"}})", false},
        {R"({"type":"content_block_stop","index":0})", false},
    };
    for (const auto& c : cases) {
        const auto scan = event(Dialect::Messages, c.json);
        // An opening brace is all that a piece of a tool's arguments may be.
        EXPECT_EQ(scan.has_content, c.content) << c.json;
        EXPECT_FALSE(scan.ends) << c.json;
    }
    const auto delta = event(Dialect::Messages, R"({"type":"message_delta","delta":{"stop_reason":"max_tokens"},
        "usage":{"output_tokens":15}})");
    EXPECT_EQ(delta.finish_reason, "max_tokens");
    EXPECT_EQ(delta.choices_finished, 1u);
    EXPECT_FALSE(delta.usage_so_far);
    EXPECT_EQ(delta.usage->completion_tokens, 15);
    EXPECT_TRUE(event(Dialect::Messages, R"({"type":"message_stop"})").ends);
    const auto error =
        event(Dialect::Messages,
              R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded","details":null}})");
    EXPECT_TRUE(error.has_error);
    EXPECT_EQ(error.error_status, 529);
    EXPECT_EQ(error.error_message, "Overloaded");
}

TEST(MessageAnswer, TellsUsageAndWhyItStopped) {
    const auto scan = scan_answer(Dialect::Messages, R"({"type":"message","role":"assistant","content":[{"type":"text",
        "text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}})");
    ASSERT_TRUE(scan.has_value());
    EXPECT_EQ(scan->usage->prompt_tokens, 3);
    EXPECT_EQ(scan->finish_reason, "end_turn");
}

TEST(ResponseId, IsOfTheAnswerOrOfTheEventsResponse) {
    EXPECT_EQ(response_id(R"({"object":"response","id":"resp_1","output":[{"id":"msg_1"}]})"), "resp_1");
    EXPECT_EQ(response_id(R"({"type":"response.created","response":{"output":[{"id":"x"}],"id":"resp_2"},"id":"e"})"),
              "resp_2");
    EXPECT_EQ(response_id(R"({"object":"response"})"), "");
    EXPECT_EQ(response_id(R"({"id":7})"), "");
    EXPECT_EQ(response_id(R"({"id":"resp_1")"), "") << "cut off";
    EXPECT_EQ(response_id(""), "");
}

TEST(ResponseEvent, TellsContentSequenceAndEnd) {
    EXPECT_FALSE(event(Dialect::Responses, R"({"type":"response.created","sequence_number":0,"response":{"status":
        "in_progress","output":[{"x":1}],"usage":null,"error":null}})")
                     .has_content);
    const auto delta = event(Dialect::Responses,
                             R"({"type":"response.output_text.delta","delta":"hi","sequence_number":4,"logprobs":[]})");
    EXPECT_TRUE(delta.has_content);
    EXPECT_EQ(delta.sequence, 4);
    EXPECT_TRUE(
        event(Dialect::Responses, R"({"type":"response.function_call_arguments.delta","delta":"{"})").has_content);
    const auto end = event(Dialect::Responses, R"({"type":"response.completed","response":{"status":"completed",
        "usage":{"input_tokens":9,"output_tokens":3,"output_tokens_details":{"reasoning_tokens":2}}}})");
    EXPECT_TRUE(end.ends);
    EXPECT_EQ(end.choices_seen, end.choices_finished);
    EXPECT_EQ(end.finish_reason, "completed");
    EXPECT_EQ(*end.usage, (Usage{9, 3, 0, 0, 2}));
    EXPECT_EQ(event(Dialect::Responses, R"({"type":"response.incomplete","response":{"status":"incomplete",
        "incomplete_details":{"reason":"max_output_tokens"}}})")
                  .finish_reason,
              "max_output_tokens");
    const auto failed = event(Dialect::Responses, R"({"type":"response.failed","response":{"status":"failed",
        "error":{"code":"rate_limit_exceeded","message":"slow down"}}})");
    EXPECT_TRUE(failed.has_error);
    EXPECT_EQ(failed.error_status, 429);
    EXPECT_EQ(failed.error_message, "slow down");
    const auto error =
        event(Dialect::Responses, R"({"type":"error","code":"server_error","message":"no","param":null})");
    EXPECT_TRUE(error.has_error);
    EXPECT_EQ(error.error_message, "no");
}

TEST(Events, ThatAreNotOneObjectAreRefused) {
    for (const Dialect dialect : {Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Other}) {
        for (std::string_view bad : {"", "[]", "1", "{", R"({"type":"message_start","message":{)", "{}{}", "[DONE]"}) {
            EXPECT_FALSE(scan_event(dialect, bad).has_value()) << bad;
            EXPECT_FALSE(scan_answer(dialect, bad).has_value()) << bad;
        }
    }
}

TEST(Errors, HaveTheShapeOfTheApi) {
    const ErrorText error{404, "no \"x\"", "invalid_request_error", "model_not_found", "model"};
    EXPECT_EQ(error_body(Dialect::Chat, error), error_body(Dialect::Responses, error));
    EXPECT_EQ(error_body(Dialect::Messages, error),
              R"({"type":"error","error":{"type":"not_found_error","message":"no \"x\"","code":"model_not_found"}})");
    for (const Dialect dialect : {Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Other}) {
        EXPECT_TRUE(is_error_body(dialect, error_body(dialect, error)));
        const std::string text = error_event(dialect, error, 6);
        const auto data = text.substr(text.find("data: ") + 6);
        const auto scan = event(dialect, std::string_view(data).substr(0, data.size() - 2));
        EXPECT_TRUE(scan.has_error) << text;
        EXPECT_EQ(scan.error_message, R"(no \"x\")") << text;
    }
    EXPECT_THAT(error_event(Dialect::Responses, error, 6), HasSubstr(R"("sequence_number":7)"));
    EXPECT_FALSE(is_error_body(Dialect::Messages, R"({"error":{"message":"m","type":"t"}})"));
    EXPECT_FALSE(is_error_body(Dialect::Chat, R"({"object":"error","message":"m"})"));
    EXPECT_FALSE(is_error_body(Dialect::Chat, "<html>"));
}

}  // namespace
}  // namespace stoker::wire
