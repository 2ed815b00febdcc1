// Remote-write messages: encoded here and decoded again, by hand where an encoder of ours would never send them.
#include "wire/remote_write.h"

#include <gtest/gtest.h>

#include <bit>
#include <protozero/pbf_writer.hpp>

#include "wire/remote_write_encoder.h"

namespace stoker::wire {
namespace {

using protozero::pbf_writer;

constexpr auto kBoth = {RemoteWriteVersion::V1, RemoteWriteVersion::V2};

// `a="b",c="d"` of the bytes that name a series.
std::string labels_text(std::string_view bytes) {
    LabelViews labels;
    const auto parsed = parse_label_bytes(bytes, labels);
    EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
    std::string text;
    for (const auto& [name, value] : labels) {
        text += (text.empty() ? "" : ",") + std::string(name) + "=\"" + std::string(value) + "\"";
    }
    return text;
}

// One line a series, with its samples as value@time (and "from" its start) and its exemplars.
std::string show(const WriteRequest& request) {
    std::string text;
    for (std::size_t i = 0; i < request.series_count(); ++i) {
        const auto& one = request.series[i];
        const auto& next = request.series[i + 1];
        text += labels_text(request.label_bytes(one));
        for (std::size_t s = one.first_sample; s < next.first_sample; ++s) {
            const auto& sample = request.samples[s];
            text += " " + std::to_string(sample.value).substr(0, 4) + "@" + std::to_string(sample.time);
            text += sample.start_time != 0 ? " from " + std::to_string(sample.start_time) : "";
        }
        text += std::string(next.first_histogram - one.first_histogram, 'H');
        for (std::size_t e = one.first_exemplar; e < next.first_exemplar; ++e) {
            text += " # " + labels_text(request.label_bytes(request.exemplars[e]));
        }
        text += "\n";
    }
    for (const auto& one : request.metadata) {
        text += "meta " + std::string(one.family) + " " + std::string(one.type) + " '" + std::string(one.help) + "' " +
                std::string(one.unit) + "\n";
    }
    return text;
}

std::string decoded(RemoteWriteVersion version, const std::string& body, const RemoteWriteLimits& limits = {}) {
    WriteRequest request;
    const auto done = decode_write_request(version, body, limits, request);
    return done ? show(request) : std::string(to_string(done.error().code)) + ": " + done.error().message;
}

NativeHistogram histogram_of(std::vector<double> counts) {
    NativeHistogram h;
    h.time = 5000;
    h.schema = 3;
    h.zero_threshold = 0.001;
    h.zero_count = 2;
    h.sum = 12.5;
    h.count = 2;
    h.positive_spans = {{-3, static_cast<std::uint32_t>(counts.size() - 1)}, {2, 1}};
    h.positive = std::move(counts);
    for (const double count : h.positive) h.count += count;
    return h;
}

TEST(RemoteWrite, ComesBackAsItWasSent) {
    for (const auto version : kBoth) {
        const std::vector<WriteRequest::Sample> samples = {{1, 1000}, {2, 2000, 500}};
        const std::vector<OutgoingExemplar> exemplars = {{{{"trace_id", "abc"}}, 1.5, 1500}};
        WriteRequestEncoder encoder(version);
        encoder.add({{{"__name__", "up"}, {"job", "a"}}, samples, {}, exemplars, {"up", "gauge", "Is it up?", ""}});
        encoder.add({{{"__name__", "down"}}, std::span(samples).first(1)});
        encoder.add_metadata({"up", "gauge", "Is it up?", ""});
        const std::string start = version == RemoteWriteVersion::V1 ? "" : " from 500";
        EXPECT_EQ(decoded(version, encoder.finish()), "__name__=\"up\",job=\"a\" 1.00@1000 2.00@2000" + start +
                                                          " # trace_id=\"abc\"\n__name__=\"down\" 1.00@1000\n"
                                                          "meta up gauge 'Is it up?' \n");
    }
}

TEST(RemoteWrite, KeepsEveryBitOfAValue) {
    for (const std::uint64_t bits : {0x7ff0000000000002ULL, 0x7ff8000000000001ULL, 0x8000000000000000ULL, 1ULL}) {
        for (const auto version : kBoth) {
            const std::vector<WriteRequest::Sample> samples = {{std::bit_cast<double>(bits), -7}};
            WriteRequestEncoder encoder(version);
            encoder.add({{{"__name__", "x"}}, samples});
            const std::string body = encoder.finish();
            WriteRequest request;
            ASSERT_TRUE(decode_write_request(version, body, {}, request));
            EXPECT_EQ(std::bit_cast<std::uint64_t>(request.samples.at(0).value), bits);
            EXPECT_EQ(request.samples[0].time, -7);
        }
    }
}

TEST(RemoteWrite, BothVersionsNameASeriesByTheSameBytes) {
    const LabelViews labels = {{"__name__", "up"}, {"instance", std::string_view("host:9100")}};
    std::string expected;
    for (const auto& [name, value] : labels) append_label(name, value, expected);
    for (const auto version : kBoth) {
        WriteRequestEncoder encoder(version);
        encoder.add({labels});
        const std::string body = encoder.finish();
        WriteRequest request;
        ASSERT_TRUE(decode_write_request(version, body, {}, request));
        EXPECT_EQ(request.label_bytes(request.series[0]), expected);
    }
}

TEST(RemoteWrite, HistogramsOfIntegersFloatsAndCustomBuckets) {
    auto floats = histogram_of({0.5, 2, 1});
    floats.reset_hint = NativeHistogram::ResetHint::Gauge;
    auto custom = histogram_of({3, 0, 7});
    custom.schema = -53;
    custom.custom_bounds = {0.1, 1, 10};
    custom.start_time = 77;
    auto both_sides = histogram_of({9, 1, 4});
    both_sides.negative_spans = {{1, 2}};
    both_sides.negative = {5, 6};
    for (const auto& histogram : {histogram_of({3, 7, 1}), floats, custom, both_sides}) {
        for (const auto version : kBoth) {
            WriteRequestEncoder encoder(version);
            encoder.add({{{"__name__", "h"}}, {}, std::span(&histogram, 1)});
            const std::string body = encoder.finish();
            WriteRequest request;
            ASSERT_TRUE(decode_write_request(version, body, {}, request));
            ASSERT_EQ(request.histograms.size(), 1u);
            EXPECT_EQ(request.histograms[0], histogram);
        }
    }
}

TEST(RemoteWrite, ScatteredLabelsAreGathered) {
    std::string body;
    {
        pbf_writer request(body);
        pbf_writer series(request, 1);
        const auto label = [&](const std::string& name, const std::string& value) {
            pbf_writer one(series, 1);
            one.add_string(1, name);
            one.add_string(2, value);
        };
        label("__name__", "up");
        {
            pbf_writer sample(series, 2);
            sample.add_double(1, 3);
        }
        label("job", "a");
        series.add_string(9, "a field of tomorrow");
    }
    EXPECT_EQ(decoded(RemoteWriteVersion::V1, body), "__name__=\"up\",job=\"a\" 3.00@0\n");
}

TEST(RemoteWrite, CreatedTimestampOfASeriesServesItsSamples) {
    std::string body;
    {
        pbf_writer request(body);
        {
            pbf_writer series(request, 5);
            const std::uint32_t refs[] = {1, 2};
            for (const auto ref : refs) series.add_uint32(1, ref);  // One by one: also allowed.
            series.add_int64(6, 400);
            pbf_writer sample(series, 2);
            sample.add_double(1, 3);
            sample.add_int64(2, 1000);
        }
        // Symbols after the series that need them.
        for (const std::string text : {"", "__name__", "up"}) request.add_string(4, text);
    }
    EXPECT_EQ(decoded(RemoteWriteVersion::V2, body), "__name__=\"up\" 3.00@1000 from 400\n");
}

TEST(RemoteWrite, MetadataOfAMetricIsTakenOnce) {
    WriteRequestEncoder encoder(RemoteWriteVersion::V2);
    const std::vector<WriteRequest::Sample> samples = {{1, 1000}};
    for (const char* job : {"a", "b"}) {
        encoder.add({{{"__name__", "up"}, {"job", job}}, samples, {}, {}, {"up", "gauge", "Up.", ""}});
    }
    EXPECT_EQ(decoded(RemoteWriteVersion::V2, encoder.finish()),
              "__name__=\"up\",job=\"a\" 1.00@1000\n__name__=\"up\",job=\"b\" 1.00@1000\nmeta up gauge 'Up.' \n");
}

// A 2.0 request with one series of these references, over the symbols "", "a", "b".
std::string with_references(const std::vector<std::uint32_t>& references, const std::string& first = "") {
    std::string body;
    {
        pbf_writer request(body);
        for (const std::string& text : {first, std::string("a"), std::string("b")}) request.add_string(4, text);
        pbf_writer series(request, 5);
        series.add_packed_uint32(1, references.begin(), references.end());
    }
    return body;
}

TEST(RemoteWrite, RefusesWhatTheSpecificationForbids) {
    const auto v2 = [](const std::string& body) { return decoded(RemoteWriteVersion::V2, body); };
    for (const auto& references : std::vector<std::vector<std::uint32_t>>{{1, 3}, {1}, {4'000'000'000, 1}}) {
        const std::string body = with_references(references);
        WriteRequest request;
        ASSERT_TRUE(decode_write_request(RemoteWriteVersion::V2, body, {}, request));
        ASSERT_EQ(request.series_count(), 1u);  // For the receiver to refuse by itself.
        EXPECT_TRUE(request.series[0].broken);
        EXPECT_EQ(request.label_bytes(request.series[0]), "");
    }
    EXPECT_EQ(v2(with_references({1, 2}, "x")),
              "invalid_argument: remote write: the first symbol is not the empty one");
    EXPECT_TRUE(
        decoded(RemoteWriteVersion::V1, "\x0a\x7f").starts_with("invalid_argument: remote write: not protobuf"));
    // 2.0 decoded as 1.0 is nothing, as its reserved fields mean it to be.
    EXPECT_EQ(decoded(RemoteWriteVersion::V1, with_references({1, 2})), "");
}

TEST(RemoteWrite, HoldsItsLimits) {
    const std::vector<WriteRequest::Sample> samples = {{1, 1000}, {2, 2000}};
    const auto histogram = histogram_of({1, 2, 3});
    for (const auto version : kBoth) {
        WriteRequestEncoder encoder(version);
        for (const char* job : {"a", "b"}) encoder.add({{{"__name__", "up"}, {"job", job}}, samples});
        encoder.add({{{"__name__", "h"}}, {}, std::span(&histogram, 1)});
        const std::string body = encoder.finish();
        EXPECT_TRUE(decoded(version, body, {.max_series = 2}).starts_with("resource_exhausted"));
        EXPECT_TRUE(decoded(version, body, {.max_samples = 3}).starts_with("resource_exhausted"));
        EXPECT_TRUE(decoded(version, body, {.max_buckets = 3}).starts_with("resource_exhausted"));
        EXPECT_TRUE(decoded(version, body, {.max_label_bytes = 10}).starts_with("resource_exhausted"));
        EXPECT_FALSE(decoded(version, body).starts_with("resource_exhausted"));
    }
    EXPECT_TRUE(decoded(RemoteWriteVersion::V2, with_references({1, 2, 1, 2}), {.max_copied_bytes = 5})
                    .starts_with("resource_exhausted"));
}

TEST(RemoteWrite, EveryPrefixIsAnAnswer) {
    for (const auto version : kBoth) {
        const auto histogram = histogram_of({1, 2, 3});
        const std::vector<WriteRequest::Sample> samples = {{1, 1000, 3}};
        WriteRequestEncoder encoder(version);
        encoder.add({{{"__name__", "up"}}, samples, {}, {}, {"up", "gauge", "Up.", ""}});
        encoder.add({{{"__name__", "h"}}, {}, std::span(&histogram, 1)});
        const std::string body = encoder.finish();
        for (std::size_t size = 0; size <= body.size(); ++size) {
            decoded(version, body.substr(0, size));
        }
    }
}

}  // namespace
}  // namespace stoker::wire
