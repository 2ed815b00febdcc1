#include "wire/remote_read.h"

#include <protozero/pbf_writer.hpp>

#include "wire/prometheus_protobuf_fields.h"
#include "wire/remote_write_fields.h"

namespace stoker::wire {
namespace {

using protozero::pbf_reader;
using protozero::pbf_writer;

// prometheus.ReadRequest, Query and LabelMatcher.
constexpr std::uint32_t kQueries = 1;
constexpr std::uint32_t kAcceptedTypes = 2;
constexpr std::uint32_t kStart = 1;
constexpr std::uint32_t kEnd = 2;
constexpr std::uint32_t kMatchers = 3;
constexpr std::uint32_t kMatcherType = 1;
constexpr std::uint32_t kMatcherName = 2;
constexpr std::uint32_t kMatcherValue = 3;
// ReadResponse, QueryResult and TimeSeries.
constexpr std::uint32_t kResults = 1;
constexpr std::uint32_t kTimeSeries = 1;
// ChunkedReadResponse, ChunkedSeries and Chunk.
constexpr std::uint32_t kChunkedSeries = 1;
constexpr std::uint32_t kQueryIndex = 2;
constexpr std::uint32_t kSeriesLabels = 1;
constexpr std::uint32_t kSeriesChunks = 2;
constexpr std::uint32_t kChunkMin = 1;
constexpr std::uint32_t kChunkMax = 2;
constexpr std::uint32_t kChunkType = 3;
constexpr std::uint32_t kChunkData = 4;
constexpr std::int32_t kXorEncoding = 1;

ReadMatcher read_matcher(pbf_reader message) {
    ReadMatcher matcher;
    while (message.next()) {
        switch (message.tag_and_type()) {
            case varint_field(kMatcherType): {
                const auto type = static_cast<std::uint32_t>(message.get_enum());
                if (type > static_cast<std::uint32_t>(ReadMatcher::Type::NotRegex)) {
                    throw Malformed{"a matcher of an unknown type"};
                }
                matcher.type = static_cast<ReadMatcher::Type>(type);
                break;
            }
            case bytes_field(kMatcherName):
                matcher.name = text_of(message);
                break;
            case bytes_field(kMatcherValue):
                matcher.value = text_of(message);
                break;
            default:
                message.skip();
        }
    }
    return matcher;
}

ReadQuery read_query(pbf_reader message, const ReadLimits& limits) {
    ReadQuery query;
    while (message.next()) {
        switch (message.tag_and_type()) {
            case varint_field(kStart):
                query.start = message.get_int64();
                break;
            case varint_field(kEnd):
                query.end = message.get_int64();
                break;
            case bytes_field(kMatchers):
                if (query.matchers.size() >= limits.max_matchers) {
                    throw PastLimit{"matchers"};
                }
                query.matchers.push_back(read_matcher(message.get_message()));
                break;
            default:
                message.skip();
        }
    }
    return query;
}

// Returns whether the request names any types at all.
bool read_request(pbf_reader message, const ReadLimits& limits, ReadRequest& out) {
    constexpr std::size_t kMaxAccepted = 16;
    bool named = false;
    const auto accept = [&](std::int32_t type) {
        named = true;
        if (type >= 0 && type <= 1 && out.accepted.size() < kMaxAccepted) {
            out.accepted.push_back(static_cast<ReadResponseType>(type));
        }
    };
    while (message.next()) {
        switch (message.tag_and_type()) {
            case bytes_field(kQueries):
                if (out.queries.size() >= limits.max_queries) {
                    throw PastLimit{"queries"};
                }
                out.queries.push_back(read_query(message.get_message(), limits));
                break;
            case varint_field(kAcceptedTypes):
                accept(message.get_enum());
                break;
            case bytes_field(kAcceptedTypes):
                for (const std::int32_t type : message.get_packed_enum()) {
                    accept(type);
                }
                break;
            default:
                message.skip();
        }
    }
    return named;
}

void write_labels(pbf_writer& message, std::uint32_t field, const LabelViews& labels) {
    for (const auto& [name, value] : labels) {
        pbf_writer label(message, field);
        label.add_string(remote_write::kLabelName, name.data(), name.size());
        label.add_string(remote_write::kLabelValue, value.data(), value.size());
    }
}

}  // namespace

Result<ReadRequest> decode_read_request(std::string_view message, const ReadLimits& limits) {
    ReadRequest request;
    TRY_UNIT(guarded("remote read", [&] {
        if (!read_request(reader_of(message), limits, request)) {
            request.accepted = {ReadResponseType::Samples};
        }
    }));
    return request;
}

void ReadResponseEncoder::add_series(const LabelViews& labels, std::span<const WriteRequest::Sample> samples,
                                     std::span<const NativeHistogram> histograms) {
    namespace v1 = remote_write::v1;
    pbf_writer result(result_);
    pbf_writer series(result, kTimeSeries);
    write_labels(series, v1::kLabels, labels);
    for (const auto& sample : samples) {
        pbf_writer one(series, v1::kSamples);
        one.add_double(remote_write::kSampleValue, sample.value);
        one.add_int64(remote_write::kSampleTimestamp, sample.time);
    }
    std::string message;
    for (const auto& histogram : histograms) {
        message.clear();
        encode_histogram(histogram, message);
        series.add_message(v1::kHistograms, message);
    }
}

void ReadResponseEncoder::end_query() {
    pbf_writer response(response_);
    response.add_message(kResults, result_);
    result_.clear();
}

std::string encode_chunked_response(std::size_t query, const LabelViews& labels, std::span<const ReadChunk> chunks) {
    std::string message;
    pbf_writer response(message);
    {
        pbf_writer series(response, kChunkedSeries);
        write_labels(series, kSeriesLabels, labels);
        for (const ReadChunk& chunk : chunks) {
            pbf_writer one(series, kSeriesChunks);
            one.add_int64(kChunkMin, chunk.min_time);
            one.add_int64(kChunkMax, chunk.max_time);
            one.add_enum(kChunkType, kXorEncoding);
            one.add_bytes(kChunkData, chunk.data);
        }
    }
    response.add_int64(kQueryIndex, static_cast<std::int64_t>(query));
    return message;
}

void append_read_frame(std::string_view message, std::uint32_t crc32c, std::string& out) {
    protozero::write_varint(std::back_inserter(out), message.size());
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(crc32c >> shift));
    }
    out.append(message);
}

}  // namespace stoker::wire
