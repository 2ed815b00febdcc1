// Bytes in, the same bytes out: odd requests and odd answers, with nothing changed but what docs/gateway.md says.
#include <utility>

#include "gateway/rig_test.h"
#include "gateway/upstream/stream_relay.h"

namespace stoker::gateway::test {
namespace {

std::string deep(int levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

// Inside of a request beside its model.
const std::string kOdd[] = {
    R"("messages":[{"role":"user","content":"日本語 🎉 \ud83c\udf89 \u0000 \/ \" \\ end"}])",
    R"("big":123456789012345678901234567890,"small":1.50e-400,"zero":-0,"exact":0.1000000000000000055511151231257827)",
    R"("x":1,"x":2,"x":{"x":3})",
    R"("logit_bias":{"50256":-100},"n":3,"logprobs":true,"top_logprobs":5,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}}])",
    R"("response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"$ref":"#/$defs/a"}}},"guided_json":null)",
    "\"spaced\" :\t[ 1 ,\r\n 2 ]  ,\n\n\"after\":{ }",
    R"("deep":)" + deep(400),
    R"("cache_control":{"type":"ephemeral"},"thinking":{"type":"enabled","budget_tokens":1024},"":"","\u006dodel2":1)",
};

TEST(Fidelity, RequestsGoUpByteByByteButForTheModel) {
    Rig rig(1);
    rig.upstream(0).play({.act = Act::Status, .status = 200, .body = "{}"});
    for (const std::string& odd : kOdd) {
        for (const char* path :
             {"/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/whatever", "/tokenize"}) {
            rig.ask({.body = "{ " + odd + " , \"model\" : \"tiny\" }\n", .path = path});
            EXPECT_EQ(rig.upstream(0).last_body(), "{ " + odd + " , \"model\" : \"engine-name\" }\n") << path;
            rig.ask({.body = R"({"mod\u0065l":"tin\u0079",)" + odd + "}", .path = path});
            EXPECT_EQ(rig.upstream(0).last_body(), R"({"mod\u0065l":"engine-name",)" + odd + "}") << path;
        }
    }
}

TEST(Fidelity, WholeAnswersComeDownByteByByte) {
    Rig rig(1);
    for (const std::string& odd : kOdd) {
        for (const char* path :
             {"/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/whatever", "/tokenize"}) {
            const std::string answer = " {" + odd + R"(,"usage":{"prompt_tokens":1,"odd":[1.0]} })" + "\r\n";
            rig.upstream(0).play({.act = Act::Status, .status = 200, .body = answer});
            const Reply reply = rig.ask({.body = R"({"model":"tiny"})", .path = path});
            EXPECT_EQ(reply.body, answer) << path;
            EXPECT_EQ(reply.status, 200);
        }
    }
}

struct Stream {
    const char* path;
    wire::Dialect dialect;
    std::string text;
};

const Stream kStreams[] = {
    {"/v1/chat/completions", wire::Dialect::Chat,
     ": comment\r\n\r\nid: 7\r\nretry: 10\r\ndata: "
     "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"é🎉\"}}],\"x\":1e400}\r\n\r\n"
     "data:{\"choices\":[{\"index\":1,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"\"}}]}"
     "}]}\n\n"
     "data: {\"choices\":[{\"index\":0,\"logprobs\":{\"content\":[]},\"finish_reason\":\"stop\"}]}\n\n"
     "data: {\"choices\":[{\"index\":1,\"finish_reason\":\"tool_calls\"}]}\n\n"
     "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2},\"timings\":{\"a\":1}}\n\ndata: "
     "[DONE]\n\n"},
    {"/v1/messages", wire::Dialect::Messages,
     "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":9,"
     "\"output_tokens\":1}}}\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\nevent: content_block_start\ndata: "
     "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n"
     "event: content_block_delta\ndata: "
     "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\","
     "\"thinking\":\"日本\"}}\n\nevent: content_block_delta\ndata: "
     "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{"
     "\"type\":\"signature_delta\",\"signature\":\"EqQ=\"}}\n\nevent: unheard_of\ndata: "
     "{\"type\":\"unheard_of\",\"x\":[]}\n\n"
     "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{"
     "\"output_tokens\":2}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"},
    {"/v1/responses", wire::Dialect::Responses,
     "event: response.created\ndata: "
     "{\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"usage\":null}}\n\n"
     "event: response.output_text.delta\ndata: "
     "{\"type\":\"response.output_text.delta\",\"delta\":\"é\",\"sequence_number\":1}\n\n"
     "event: response.completed\ndata: "
     "{\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"usage\":{"
     "\"input_tokens\":1,\"output_tokens\":2}},\"sequence_number\":2}\n\n"},
    {"/v1/audio/speech", wire::Dialect::Other,
     "event: speech.audio.delta\ndata: {\"type\":\"speech.audio.delta\",\"audio\":\"UklG\"}\n\n"
     "data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}\n\n"},
};

TEST(Fidelity, StreamsComeDownByteByByte) {
    Rig rig(1);
    for (const Stream& stream : kStreams) {
        rig.upstream(0).play(
            {.act = Act::Status, .status = 200, .body = stream.text, .content_type = "text/event-stream"});
        const Reply reply = rig.ask(
            {.body = R"({"model":"tiny","stream":true,"stream_options":{"include_usage":true}})", .path = stream.path});
        EXPECT_EQ(reply.body, stream.text) << stream.path;
        EXPECT_TRUE(reply.clean);
    }
    for (const auto& record : rig.records(4)) {
        EXPECT_EQ(record.completion_tokens, 2) << record.endpoint;
        EXPECT_EQ(record.usage_source, records::UsageSource::Engine) << record.endpoint;
    }
}

TEST(Fidelity, StreamsComeDownTheSameHoweverTheyAreCutIntoPieces) {
    for (const Stream& stream : kStreams) {
        for (std::size_t size = 1; size < 64; ++size) {
            StreamRelay relay({.dialect = stream.dialect});
            std::string seen;
            for (std::size_t at = 0; at < stream.text.size(); at += size) {
                const auto state = relay.feed(std::string_view(stream.text).substr(at, size), SteadyTime{Duration{1}});
                if (state != StreamRelay::State::Holding) seen += std::exchange(relay.out(), {});
            }
            EXPECT_EQ(relay.end_of_body(), StreamRelay::State::Done) << stream.path;
            seen += relay.out();
            EXPECT_EQ(seen, stream.text) << stream.path << ", pieces of " << size;
        }
    }
}

}  // namespace
}  // namespace stoker::gateway::test
