#include "wire/remote_read_client.h"

#include <gtest/gtest.h>

namespace stoker::wire {
namespace {

TEST(RemoteReadClient, ItsRequestIsReadByTheServer) {
    const ReadQuery query{1'000, 2'000, {{ReadMatcher::Type::Regex, "__name__", "up|down"}, {{}, "job", "x"}}};
    const auto read = decode_read_request(encode_read_request(query));
    ASSERT_TRUE(read);
    ASSERT_EQ(read->queries.size(), 1U);
    EXPECT_EQ(read->queries[0].start, 1'000);
    EXPECT_EQ(read->queries[0].end, 2'000);
    ASSERT_EQ(read->queries[0].matchers.size(), 2U);
    EXPECT_EQ(read->queries[0].matchers[0].type, ReadMatcher::Type::Regex);
    EXPECT_EQ(read->queries[0].matchers[0].value, "up|down");
    EXPECT_EQ(read->queries[0].matchers[1].name, "job");
    ASSERT_EQ(read->accepted.size(), 1U);
    EXPECT_EQ(read->accepted[0], ReadResponseType::Samples);
}

TEST(RemoteReadClient, TheServersAnswerIsRead) {
    ReadResponseEncoder encoder;
    const std::vector<WriteRequest::Sample> samples = {{1.5, 1'000, 0}, {2.5, 2'000, 0}};
    NativeHistogram histogram;
    histogram.time = 3'000;
    histogram.count = 1;
    histogram.sum = 2;
    const std::vector<NativeHistogram> histograms = {histogram};
    encoder.add_series({{"__name__", "up"}, {"job", "x"}}, samples, histograms);
    encoder.end_query();
    WriteRequest out;
    ASSERT_TRUE(decode_read_response(encoder.message(), {}, out));
    ASSERT_EQ(out.series_count(), 1U);
    ASSERT_EQ(out.samples.size(), 2U);
    EXPECT_EQ(out.samples[1].value, 2.5);
    EXPECT_EQ(out.samples[1].time, 2'000);
    ASSERT_EQ(out.histograms.size(), 1U);
    EXPECT_EQ(out.histograms[0].time, 3'000);
    EXPECT_TRUE(decode_read_response("", {}, out));
    EXPECT_EQ(out.series_count(), 0U);
    EXPECT_FALSE(decode_read_response("\xff", {}, out));
}

}  // namespace
}  // namespace stoker::wire
