// Requests as Prometheus sends them; answers taken apart with protozero.
#include "api/remote_read.h"

#include <gtest/gtest.h>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "journal/crc32c.h"
#include "tsdb/store_fixture.h"
#include "wire/compression.h"

namespace stoker::api {
namespace {

using protozero::pbf_reader;
using tsdb::testing::at;

constexpr std::int64_t kT = 1'700'000'000'000;

enum Type { Samples = 0, Chunks = 1 };

collect::PushRequest request_of(const std::vector<int>& accepted, const std::string& metric, std::int64_t start = kT,
                                std::int64_t end = kT + 3'600'000) {
    std::string message;
    {
        protozero::pbf_writer request(message);
        {
            protozero::pbf_writer query(request, 1);
            query.add_int64(1, start);
            query.add_int64(2, end);
            protozero::pbf_writer matcher(query, 3);
            matcher.add_enum(1, 2);
            matcher.add_string(2, "__name__");
            matcher.add_string(3, metric);
        }
        for (const int type : accepted) request.add_enum(2, type);
    }
    collect::PushRequest request;
    request.headers.add("Content-Encoding", "snappy");
    request.body = wire::snappy_compress(message);
    return request;
}

std::string text_of(protozero::data_view view) {
    return {view.data(), view.size()};
}

std::string labels_text(pbf_reader label) {
    std::string text;
    while (label.next()) text += (text.empty() ? "" : "=") + text_of(label.get_view());
    return text;
}

// "a[2] b[1]": the series of a Samples answer and how many samples each has ("h" more for histograms).
std::string show_samples(const net::Response& response) {
    const auto message = wire::decompress("snappy", response.body, 1 << 30);
    EXPECT_TRUE(message.has_value());
    std::string out;
    pbf_reader answer(*message);
    while (answer.next(1)) {
        pbf_reader result = answer.get_message();
        while (result.next(1)) {
            pbf_reader series = result.get_message();
            std::string name;
            std::size_t samples = 0;
            std::size_t histograms = 0;
            while (series.next()) {
                if (series.tag() == 1) {
                    name += labels_text(series.get_message());
                } else {
                    ++(series.tag() == 2 ? samples : histograms);
                    series.skip();
                }
            }
            out += (out.empty() ? "" : " ") + name + "[" + std::to_string(samples) +
                   (histograms > 0 ? "+" + std::to_string(histograms) + "h" : "") + "]";
        }
    }
    return out;
}

// The same of a stream of chunks, a frame at a time: "a[120+30]".
std::string show_chunks(std::string_view body) {
    std::string out;
    while (!body.empty()) {
        const char* at = body.data();
        const auto size = protozero::decode_varint(&at, body.data() + body.size());
        body.remove_prefix(static_cast<std::size_t>(at - body.data()));
        std::uint32_t crc = 0;
        for (int i = 0; i < 4; ++i) crc = crc << 8 | static_cast<std::uint8_t>(body[static_cast<std::size_t>(i)]);
        const std::string message(body.substr(4, size));
        EXPECT_EQ(journal::crc32c(message), crc);
        body.remove_prefix(4 + size);
        pbf_reader frame(message);
        while (frame.next(1)) {
            pbf_reader series = frame.get_message();
            std::string name;
            std::string chunks;
            while (series.next()) {
                if (series.tag() == 1) {
                    name += labels_text(series.get_message());
                    continue;
                }
                pbf_reader chunk = series.get_message();
                while (chunk.next()) {
                    if (chunk.tag() != 4) {
                        chunk.skip();
                        continue;
                    }
                    const std::string data = text_of(chunk.get_view());
                    const int count = static_cast<std::uint8_t>(data[0]) * 256 + static_cast<std::uint8_t>(data[1]);
                    chunks += (chunks.empty() ? "" : "+") + std::to_string(count);
                }
            }
            out += (out.empty() ? "" : " ") + name + "[" + chunks + "]";
        }
    }
    return out;
}

class RemoteReadTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::vector<tsdb::SeriesSample> batch;
        for (int i = 0; i < 150; ++i) batch.push_back(at("a", kT + i * 1000, i * 0.5));
        batch.push_back(at("b", kT + 1000, 7));
        store.append(batch);
    }
    net::Response read(const collect::PushRequest& request, RemoteReadOptions options = {}) {
        return RemoteReader(*store, options, registry).read(request);
    }

    tsdb::testing::TestStore store;
    metrics::Registry registry;
};

TEST_F(RemoteReadTest, SamplesForThoseWhoTakeNothingElse) {
    for (const auto& accepted : {std::vector<int>{}, std::vector<int>{Samples, Chunks}}) {
        const auto response = read(request_of(accepted, "a|b|none"));
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.headers.get("Content-Encoding"), "snappy");
        EXPECT_EQ(response.headers.get("Content-Type"), "application/x-protobuf");
        EXPECT_EQ(show_samples(response), "__name__=a[150] __name__=b[1]");
    }
}

TEST_F(RemoteReadTest, ChunksForThoseWhoPreferThem) {
    const auto response = read(request_of({Chunks, Samples}, "a|b"));
    EXPECT_EQ(response.headers.get("Content-Type"),
              "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse");
    EXPECT_FALSE(response.headers.get("Content-Encoding").has_value());
    EXPECT_EQ(show_chunks(response.body), "__name__=a[120+30] __name__=b[1]");
}

TEST_F(RemoteReadTest, ALongSeriesTakesSeveralFrames) {
    // A frame ends between blocks of the store, so that this series, of few, may still come in one.
    const auto response = read(request_of({Chunks}, "a"), {.frame_bytes = 1, .limits = {}});
    const std::string shown = show_chunks(response.body);
    EXPECT_TRUE(shown == "__name__=a[120] __name__=a[30]" || shown == "__name__=a[120+30]") << shown;
}

TEST_F(RemoteReadTest, OnlyWhatWasAskedFor) {
    EXPECT_EQ(show_chunks(read(request_of({Chunks}, "a", kT + 10'000, kT + 12'000)).body), "__name__=a[3]");
    EXPECT_EQ(read(request_of({Chunks}, "none")).body, "");
    EXPECT_EQ(show_samples(read(request_of({Samples}, "none"))), "");
}

TEST_F(RemoteReadTest, HistogramsComeAsSamples) {
    auto histogram = std::make_shared<tsdb::Histogram>();
    histogram->count = 3;
    histogram->positive_spans = {{0, 1}};
    histogram->positive = {3};
    tsdb::SeriesSample sample = at("h", kT, 0);
    sample.histogram = histogram;
    store.append({sample});
    EXPECT_EQ(show_samples(read(request_of({Chunks, Samples}, "h|b"))), "__name__=b[1] __name__=h[0+1h]");
    EXPECT_EQ(read(request_of({Chunks}, "h")).status, 400);
}

TEST_F(RemoteReadTest, RefusesTooMuchAndNonsense) {
    EXPECT_EQ(read(request_of({Chunks}, "a"), {.max_samples = 100, .limits = {}}).status, 422);
    EXPECT_EQ(read(request_of({Samples}, "a"), {.max_response_bytes = 100, .limits = {}}).status, 422);
    EXPECT_EQ(read(request_of({Samples}, "a|b"), {.max_series = 1, .limits = {}}).status, 422);
    EXPECT_EQ(read(request_of({Samples}, "(")).status, 400);
    auto request = request_of({Samples}, "a");
    request.body = "not snappy";
    EXPECT_EQ(read(request).status, 400);
}

}  // namespace
}  // namespace stoker::api
