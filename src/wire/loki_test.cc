#include "wire/loki.h"

#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>

namespace stoker::wire::loki {
namespace {

using protozero::pbf_writer;

std::string push(const std::string& labels, std::int64_t seconds, std::int32_t nanos, const std::string& text) {
    std::string time;
    pbf_writer time_writer(time);
    time_writer.add_int64(1, seconds);
    time_writer.add_int32(2, nanos);
    std::string metadata;
    pbf_writer metadata_writer(metadata);
    metadata_writer.add_string(1, "trace_id");
    metadata_writer.add_string(2, "abc");
    std::string entry;
    pbf_writer entry_writer(entry);
    entry_writer.add_message(1, time);
    entry_writer.add_string(2, text);
    entry_writer.add_message(3, metadata);
    std::string stream;
    pbf_writer stream_writer(stream);
    stream_writer.add_string(1, labels);
    stream_writer.add_message(2, entry);
    stream_writer.add_uint64(3, 77);
    std::string request;
    pbf_writer(request).add_message(1, stream);
    return request;
}

TEST(Loki, BothEncodingsSayTheSame) {
    const auto protobuf = parse_push_protobuf(push(R"({app="vllm", pod="a\"b"})", 1'700'000'000, 5, "hello"));
    const auto json = parse_push_json(
        R"({"streams":[{"stream":{"app":"vllm","pod":"a\"b"},"values":[["1700000000000000005","hello",{"trace_id":"abc"}]]}]})");
    for (const auto& request : {protobuf, json}) {
        ASSERT_TRUE(request) << request.error().message;
        ASSERT_EQ(request->size(), 1U);
        EXPECT_EQ(labels_text((*request)[0].labels), R"({app="vllm", pod="a\"b"})");
        ASSERT_EQ((*request)[0].lines.size(), 1U);
        const Line& line = (*request)[0].lines[0];
        EXPECT_EQ(line.time_ns, 1'700'000'000'000'000'005);
        EXPECT_EQ(line.text, "hello");
        EXPECT_EQ(line.metadata, (Labels{{"trace_id", "abc"}}));
    }
}

TEST(Loki, RefusesWhatIsNone) {
    for (const char* body :
         {"", "[]", "{}", R"({"streams":[{"values":[["x","line"]]}]})", R"({"streams":[{"values":[["1"]]}]})",
          R"({"streams":[{"stream":{"a":1}}]})", R"({"streams":[{"values":[["1","a",{},4]]}]})"}) {
        const auto parsed = parse_push_json(body);
        ASSERT_FALSE(parsed) << body;
        EXPECT_EQ(parsed.error().code, Errc::InvalidArgument) << body;
    }
    EXPECT_EQ(parse_push_protobuf(push("{app=", 1, 0, "x")).error().code, Errc::InvalidArgument);
    EXPECT_EQ(parse_push_protobuf("\x0a\x10x").error().code, Errc::InvalidArgument);
    EXPECT_EQ(parse_push_protobuf(push("{a=\"b\"}", 1, 0, "x"), {.max_memory = 10}).error().code,
              Errc::ResourceExhausted);
}

TEST(Loki, ImpossibleTimeIsNone) {
    const auto parsed = parse_push_protobuf(push("{}", INT64_MAX, 0, "x"));
    ASSERT_TRUE(parsed);
    EXPECT_EQ((*parsed)[0].lines[0].time_ns, 0);
}

TEST(Loki, Queries) {
    const auto query = parse_query(R"({app="x", level!="debug",} |= "a b" |= `c\d` != "e")");
    ASSERT_TRUE(query) << query.error().message;
    ASSERT_EQ(query->matchers.size(), 2U);
    EXPECT_EQ(query->matchers[0].name, "app");
    EXPECT_TRUE(query->matchers[0].equal);
    EXPECT_FALSE(query->matchers[1].equal);
    EXPECT_EQ(query->contains, (std::vector<std::string>{"a b", "c\\d"}));
    EXPECT_EQ(query->lacks, (std::vector<std::string>{"e"}));
    for (const char* text : {"", "app", "{app}", R"({app=~"x"})", R"({app="x"} | json)", R"({app="x"} |~ "a")",
                             R"(rate({app="x"}[5m]))", R"({app="x)"}) {
        const auto refused = parse_query(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, Errc::InvalidArgument) << text;
        EXPECT_TRUE(refused.error().message.find("character") != std::string::npos) << refused.error().message;
    }
}

}  // namespace
}  // namespace stoker::wire::loki
