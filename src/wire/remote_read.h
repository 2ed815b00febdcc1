// Prometheus' remote read: its request decoded, and its two kinds of response encoded.
//
// Samples answers with one ReadResponse message, snappy-compressed; StreamedXorChunks with a ChunkedReadResponse for
// each run of chunks, in frames of their own (see read_frame()). https://prometheus.io/docs/prometheus/latest/querying/
// remote_read_api/ says when which is meant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/remote_read_chunk.h"
#include "wire/remote_write.h"

namespace stoker::wire {

struct ReadMatcher {
    enum class Type : std::uint8_t { Equal, NotEqual, Regex, NotRegex };
    Type type = Type::Equal;
    std::string name;
    std::string value;
};

struct ReadQuery {
    std::int64_t start = 0;  // Milliseconds since 1970; both ends belong to it.
    std::int64_t end = 0;
    std::vector<ReadMatcher> matchers;
};

enum class ReadResponseType : std::uint8_t { Samples, StreamedXorChunks };

struct ReadRequest {
    std::vector<ReadQuery> queries;
    std::vector<ReadResponseType> accepted;  // The dearest first; kinds nobody here knows are left out.
};

struct ReadLimits {
    std::size_t max_queries = 100;
    std::size_t max_matchers = 100;  // A query.
};

// Decodes prometheus.ReadRequest. Without a list of accepted types it accepts Samples, as the first senders meant it.
// Errors: InvalidArgument, ResourceExhausted.
Result<ReadRequest> decode_read_request(std::string_view message, const ReadLimits& limits = {});

// Puts a ReadResponse together, query after query in the order of the request.
class ReadResponseEncoder {
public:
    void add_series(const LabelViews& labels, std::span<const WriteRequest::Sample> samples,
                    std::span<const NativeHistogram> histograms);
    // Ends the answer to one query; the next series belong to the next one.
    void end_query();

    std::size_t size() const { return response_.size() + result_.size(); }
    const std::string& message() const { return response_; }

private:
    std::string response_;
    std::string result_;
};

struct ReadChunk {
    std::int64_t min_time = 0;
    std::int64_t max_time = 0;
    std::string data;  // Of an XorChunk.
};

// One ChunkedReadResponse: chunks of one series, ascending in time, in answer to the query of that index.
std::string encode_chunked_response(std::size_t query, const LabelViews& labels, std::span<const ReadChunk> chunks);

// The frame of one message in a stream: its length as a varint, its CRC32C big-endian, itself.
void append_read_frame(std::string_view message, std::uint32_t crc32c, std::string& out);

}  // namespace stoker::wire
