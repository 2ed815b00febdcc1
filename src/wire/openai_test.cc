#include "wire/openai.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

#include "wire/edited_body.h"

namespace stoker::wire {
namespace {

using testing::HasSubstr;

RequestFault fault_of(const Error& error) {
    return static_cast<RequestFault>(error.detail);
}

RequestScan scanned(std::string_view body) {
    auto scan = scan_request(body);
    EXPECT_TRUE(scan.has_value()) << (scan ? "" : scan.error().message);
    return scan ? *scan : RequestScan{};
}

// The body as it goes upstream.
std::string edited(std::string_view body, std::string_view engine_model, bool ask) {
    EditedBody edited_body;
    edited_body.assign(body, request_edits(scanned(body), engine_model, ask));
    return edited_body.text();
}

AnswerScan answer(std::string_view json) {
    auto scan = scan_answer(json);
    EXPECT_TRUE(scan.has_value()) << (scan ? "" : scan.error().message);
    return scan ? *scan : AnswerScan{};
}

TEST(RequestScan, ReadsWhatRoutingNeeds) {
    const auto scan =
        scanned(R"( {"messages":[{"role":"user","content":"hi \"model\":1"}], "model" : "tiny", "stream":true,
        "max_tokens":7, "tools":[{"model":"not this"}]} )");
    EXPECT_EQ(scan.model, "tiny");
    EXPECT_TRUE(scan.stream);
    EXPECT_EQ(scan.max_tokens, 7);
    EXPECT_EQ(scan.prompt_bytes, std::string_view(R"([{"role":"user","content":"hi \"model\":1"}])").size() +
                                     std::string_view(R"([{"model":"not this"}])").size())
        << "tools are read by the model too";
}

TEST(RequestScan, DecodesEscapesInModelAndKeys) {
    EXPECT_EQ(scanned(R"({"mod\u0065l":"t\u00efny\/\ud83d\ude00"})").model, "tïny/😀");
}

struct BadBody {
    std::string_view body;
    RequestFault fault;
    std::string_view message;
};

TEST(RequestScan, RefusesWithThePlace) {
    const BadBody cases[] = {
        {"", RequestFault::MalformedJson, "line 1, column 1 (byte 0)"},
        {"{", RequestFault::MalformedJson, "the text ends before its last bracket at line 1, column 2"},
        {"{\n  \"model\" \"x\"}", RequestFault::MalformedJson, "expected ':' at line 2, column 11 (byte 12)"},
        {R"({"model":"x"} x)", RequestFault::MalformedJson, "something follows"},
        {R"({"model":"x",})", RequestFault::MalformedJson, "expected a key"},
        {R"({"model":"x" "stream":true})", RequestFault::MalformedJson, "expected ',' or '}'"},
        {R"({"model":"x","n":01})", RequestFault::MalformedJson, "byte 18"},
        {R"({"model":"x","messages":[{"a":tru}]})", RequestFault::MalformedJson, "expected a value"},
        {R"({"model":"x","messages":["abc)", RequestFault::MalformedJson, "inside a string"},
        {"{\"model\":\"a\nb\"}", RequestFault::MalformedJson, "control character"},
        {R"({"model":"\x"})", RequestFault::MalformedJson, "unknown escape"},
        {"{\"model\":\"\xff\"}", RequestFault::MalformedJson, "UTF-8"},
        {"not json", RequestFault::MalformedJson, "line 1, column 1"},
        {"[]", RequestFault::WrongType, "must be a JSON object"},
        {R"("text")", RequestFault::WrongType, "must be a JSON object"},
        {R"({"model":7})", RequestFault::WrongType, "'model' must be a string"},
        {R"({"model":"x","stream":"yes"})", RequestFault::WrongType, "'stream' must be true or false"},
        {R"({"model":"x","model":"y"})", RequestFault::WrongType, "'model' is given twice"},
        {R"({"model":"x","stream_options":{},"stream_options":{}})", RequestFault::WrongType, "given twice"},
        {R"({"messages":[]})", RequestFault::MissingModel, "'model'"},
        {R"({"model":""})", RequestFault::MissingModel, "'model'"},
    };
    for (const auto& bad : cases) {
        const auto scan = scan_request(bad.body);
        ASSERT_FALSE(scan.has_value()) << bad.body;
        EXPECT_EQ(fault_of(scan.error()), bad.fault) << bad.body << ": " << scan.error().message;
        EXPECT_THAT(scan.error().message, HasSubstr(std::string(bad.message))) << bad.body;
    }
}

TEST(RequestScan, DeepNestingIsBounded) {
    const std::string deep = R"({"model":"x","a":)" + std::string(100000, '[');
    EXPECT_THAT(scan_request(deep).error().message, HasSubstr("nested too deeply"));
    const std::string fine = R"({"model":"x","a":)" + std::string(500, '[') + std::string(500, ']') + "}";
    EXPECT_TRUE(scan_request(fine).has_value());
}

TEST(RequestEdit, IsTheSmallest) {
    struct Case {
        std::string_view body, wanted;
    };
    const Case cases[] = {
        {R"({"model":"a","stream":true})", R"({"stream_options":{"include_usage":true},"model":"b","stream":true})"},
        {R"({ "stream":true , "model" : "a"  , "x":1.50 })",
         R"({"stream_options":{"include_usage":true}, "stream":true , "model" : "b"  , "x":1.50 })"},
        {R"({"model":"a","stream_options":null})", R"({"model":"b","stream_options":{"include_usage":true}})"},
        {R"({"stream_options":{},"model":"a"})", R"({"stream_options":{"include_usage":true},"model":"b"})"},
        {R"({"stream_options":{"x":1},"model":"a"})", R"({"stream_options":{"include_usage":true,"x":1},"model":"b"})"},
        {R"({"stream_options":{"include_usage":false,"x":1},"model":"a"})",
         R"({"stream_options":{"include_usage":true,"x":1},"model":"b"})"},
        {R"({"stream_options":{"include_usage":null},"model":"a"})",
         R"({"stream_options":{"include_usage":true},"model":"b"})"},
        {R"({"stream_options":{"include_usage":true},"model":"a"})",
         R"({"stream_options":{"include_usage":true},"model":"b"})"},
        {R"({"stream_options":"odd","model":"a"})", R"({"stream_options":"odd","model":"b"})"},
    };
    for (const auto& c : cases) EXPECT_EQ(edited(c.body, "b", true), c.wanted);
}

TEST(RequestEdit, LeavesAloneWhatNeedNotChange) {
    const std::string_view body = R"({"model":"a","stream":true})";
    EXPECT_TRUE(request_edits(scanned(body), "a", false).empty());
    EXPECT_TRUE(request_edits(scanned(body), "", false).empty());
    EXPECT_EQ(edited(body, "q\"\\", false), R"({"model":"q\"\\","stream":true})");
}

TEST(RequestEdit, EditedBodiesStayValidAndAskForUsage) {
    for (std::string_view options :
         {"null", "{}", R"({"include_usage":false})", R"({ "a":[] , "include_usage" : null })"}) {
        const std::string body = R"({"messages":[],"stream_options":)" + std::string(options) + R"(,"model":"a"})";
        const auto again = scanned(edited(body, "b", true));
        EXPECT_EQ(again.usage, UsageAsk::Asked) << body;
        EXPECT_EQ(again.model, "b");
    }
}

TEST(AnswerScan, TellsContentFromTheRest) {
    struct Case {
        std::string_view json;
        bool content;
    };
    const Case cases[] = {
        {R"({"choices":[{"delta":{"role":"assistant","content":""}}]})", false},
        {R"({"choices":[{"delta":{"content":"x"}}]})", true},
        {R"({"choices":[{"delta":{"content":null}}]})", false},
        {R"({"choices":[{"delta":{"reasoning_content":"x"}}]})", true},
        {R"({"choices":[{"delta":{"tool_calls":[{"index":0}]}}]})", true},
        {R"({"choices":[{"delta":{"tool_calls":[]}}]})", false},
        {R"({"choices":[{"text":"x"}]})", true},
        {R"({"choices":[{"message":{"content":"x"}}]})", true},
        {R"({"choices":[{"delta":{}},{"delta":{"content":"second"}}]})", true},
        {R"({"choices":[]})", false},
        {R"({"content":"x"})", false},
    };
    for (const auto& c : cases) EXPECT_EQ(answer(c.json).has_content, c.content) << c.json;
}

TEST(AnswerScan, ReadsUsageAndFinishReason) {
    const auto scan =
        answer(R"({"choices":[{"index":3,"finish_reason":"length"},{"finish_reason":null}],"usage":{"prompt_tokens":10,
        "completion_tokens":20,"total_tokens":30,"prompt_tokens_details":{"cached_tokens":4}},"timings":{"prompt_n":1}})");
    ASSERT_TRUE(scan.usage);
    EXPECT_EQ(scan.usage->prompt_tokens, 10);
    EXPECT_EQ(scan.usage->completion_tokens, 20);
    EXPECT_EQ(scan.usage->cached_tokens, 4);
    EXPECT_EQ(scan.finish_reason, "length");
    EXPECT_EQ(scan.choices_finished, 8u);
    EXPECT_EQ(scan.choices_seen, 9u);
    EXPECT_FALSE(scan.choices_empty);
    EXPECT_TRUE(answer(R"({"choices":[],"usage":null})").choices_empty);
    EXPECT_FALSE(answer(R"({"choices":[],"usage":null})").usage);
}

TEST(AnswerScan, KnowsTheShapesOfErrors) {
    EXPECT_FALSE(answer(R"({"error":null})").has_error);
    EXPECT_TRUE(answer(R"({"error":{"message":"m"}})").has_error);
    EXPECT_EQ(answer(R"({"error":{"message":"m","code":400}})").error_status, 400);
    EXPECT_EQ(answer(R"({"error":{"message":"m","code":"x"}})").error_status, 0);
    EXPECT_EQ(answer(R"({"object":"error","message":"m","code":404})").error_message, "m");
    EXPECT_EQ(answer(R"({"object":"error","message":"m","code":404})").error_status, 404);
    EXPECT_FALSE(answer(R"({"object":"chat.completion","message":"m","code":404})").has_error);
    EXPECT_EQ(answer(R"({"error":"plain"})").error_message, "plain");
}

TEST(AnswerScan, RefusesWhatIsNotAnObject) {
    for (std::string_view bad : {"", "[]", "1", "{", "{not json}", R"({"choices":[{"delta":{"content":"abc)", "{}{}"}) {
        EXPECT_FALSE(scan_answer(bad).has_value()) << bad;
    }
}

TEST(AnswerScan, UsageIsTakenOutWithItsComma) {
    struct Case {
        std::string_view json, wanted;
    };
    const Case cases[] = {
        {R"({"a":1,"usage":null,"b":2})", R"({"a":1,"b":2})"},
        {R"({"a":1 , "usage" : {"x":{}} })", R"({"a":1  })"},
        {R"({"usage":null,"b":2})", R"({"b":2})"},
        {R"({ "usage": {} , "b":2})", R"({  "b":2})"},
        {R"({"usage":null})", R"({})"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(without_usage(c.json, answer(c.json)), c.wanted);
        EXPECT_TRUE(scan_answer(without_usage(c.json, answer(c.json))).has_value());
    }
}

TEST(UsageInTail, FindsTheLastWholeOne) {
    EXPECT_EQ(find_usage_in_tail(R"(0.1,0.2]}],"usage":{"prompt_tokens":3,"total_tokens":3}})")->prompt_tokens, 3);
    EXPECT_FALSE(find_usage_in_tail(R"(0.1,"usage":{"prompt_tokens":3)"));
    EXPECT_FALSE(find_usage_in_tail(R"(no such thing)"));
    EXPECT_FALSE(find_usage_in_tail(R"("usage" 1)"));
}

TEST(ErrorBody, IsWellFormedWhateverTheMessage) {
    EXPECT_EQ(error_body("no", "invalid_request_error", "model_not_found", "model"),
              R"({"error":{"message":"no","type":"invalid_request_error","param":"model","code":"model_not_found"}})");
    const auto odd = scan_answer(error_body("a\"\n\xff", "t", "c"));
    ASSERT_TRUE(odd.has_value());
    EXPECT_TRUE(odd->has_error);
}

// The cursor and simdjson's DOM, two parsers that share nothing, must agree on what is JSON. What simdjson checks
// beyond the grammar (numbers that no double holds, pairing of surrogates) is left out of the comparison.
void expect_agreement(const std::string& text) {
    simdjson::dom::parser parser;
    const auto error = parser.parse(text).error();
    if (error == simdjson::NUMBER_ERROR || error == simdjson::STRING_ERROR || error == simdjson::DEPTH_ERROR ||
        error == simdjson::UTF8_ERROR) {
        return;
    }
    JsonCursor json(text);
    json.skip();
    const bool ok = json.end();
    EXPECT_EQ(ok, error == simdjson::SUCCESS) << text << "\n" << json.problem() << " at " << json.offset();
}

TEST(JsonCursor, AgreesWithSimdjsonOnMutatedDocuments) {
    const std::string seeds[] = {
        R"({"model":"tiny","messages":[{"role":"user","content":"a \"quoted\" \\ text that is longer than 16 bytes"}]})",
        R"([1,-2.5e+3,0,true,false,null,"",{},[],[[{}]],{"a":{"b":[1,2,{"c":null}]}}])",
        R"({"a":"\u00e9\n\t\/","b":[0.1,1E5,-0],"usage":{"prompt_tokens":1}})",
    };
    constexpr std::string_view kBytes = "{}[]\",:\\ntfu0123456789.eE+- \n";
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (int round = 0; round < 30000; ++round) {
        std::string text = seeds[random() % std::size(seeds)];
        for (unsigned edits = 1 + random() % 3; edits > 0; --edits) {
            const std::size_t at = random() % text.size();
            switch (random() % 3) {
                case 0:
                    text[at] = kBytes[random() % kBytes.size()];
                    break;
                case 1:
                    text.erase(at, 1 + random() % 4);
                    break;
                default:
                    text.insert(at, 1, kBytes[random() % kBytes.size()]);
            }
            if (text.empty()) text = "1";
        }
        expect_agreement(text);
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace stoker::wire
