#include "wire/tool_call.h"

#include <gtest/gtest.h>

namespace stoker::wire {
namespace {

struct Case {
    std::string_view json;
    bool opens;
};

TEST(ToolCall, AChatsOpeningHasANameAndNoArguments) {
    const Case cases[] = {
        {R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}}]})", true},
        {R"({"choices":[{"delta":{"content":null,"tool_calls":[{"index":0,"function":{"name":"f"}}]}}]})", true},
        {R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}}]})", false},
        {R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]})", false},
        {R"({"choices":[{"delta":{"tool_calls":[{"function":{"name":"f"}},{"function":{"arguments":"{"}}]}}]})", false},
        {R"({"choices":[{"delta":{"tool_calls":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}}]})", true},
        {R"({"choices":[{"delta":{"tool_calls":[{"type":"custom","custom":{"name":"f","input":""}}]}}]})", true},
        {R"({"choices":[{"delta":{"tool_calls":[{"type":"custom","custom":{"name":"f","input":"x"}}]}}]})", false},
        {R"({"choices":[{"delta":{"function_call":{"name":"f","arguments":""}}}]})", true},
        {R"({"choices":[{"delta":{"function_call":{"arguments":"\"name\""}}}]})", false},
        {R"({"choices":[{"delta":{"content":"x","tool_calls":[{"function":{"name":"f"}}]}}]})", false},
        {R"({"choices":[{"delta":{"content":"\"name\""}}]})", false},
        {R"({"choices":[{"delta":{"name":"x","tool_calls":7}}]})", false},
        {R"({"name":"x"})", false},
        {R"({"choices":[{"delta":{"tool_calls":[{"function":{"name":"f")", false},
    };
    for (const auto& c : cases) EXPECT_EQ(opens_tool_call(Dialect::Chat, c.json), c.opens) << c.json;
}

TEST(ToolCall, AMessagesOpeningIsItsBlock) {
    const Case cases[] = {
        {R"({"type":"content_block_start","content_block":{"type":"tool_use","id":"t","name":"get","input":{}}})",
         true},
        {R"({"type":"content_block_start","content_block":{"type":"tool_use","name":"get","input":{"a":1}}})", false},
        {R"({"type":"content_block_start","content_block":{"type":"text","text":""}})", false},
        {R"({"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"\"name\""}})", false},
    };
    for (const auto& c : cases) EXPECT_EQ(opens_tool_call(Dialect::Messages, c.json), c.opens) << c.json;
}

TEST(ToolCall, OtherApisHaveOpeningsWithoutContent) {
    const std::string_view added =
        R"({"type":"response.output_item.added","item":{"type":"function_call","name":"f"}})";
    EXPECT_FALSE(opens_tool_call(Dialect::Responses, added));
    EXPECT_FALSE(opens_tool_call(Dialect::Other, added));
}

}  // namespace
}  // namespace stoker::wire
