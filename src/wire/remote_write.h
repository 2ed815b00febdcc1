// Decodes what remote-write senders send: prometheus.WriteRequest (1.0) and io.prometheus.write.v2.Request (2.0).
//
// Both become one flat WriteRequest without a single string built: a series is the bytes that encode its labels, and
// its samples are a run of one array. Series that were seen before need no more than a hash of those bytes; the labels
// themselves are parsed on request. Meant to be reused: vectors keep their capacity from request to request.
// https://prometheus.io/docs/specs/prw/remote_write_spec/ and .../remote_write_spec_2_0/
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wire/prometheus_protobuf_histogram.h"

namespace stoker::wire {

enum class RemoteWriteVersion : std::uint8_t { V1, V2 };

struct RemoteWriteLimits {
    std::size_t max_series = 500'000;  // A request.
    std::size_t max_samples = 1'000'000;
    std::size_t max_histograms = 100'000;
    std::size_t max_buckets = 4'000'000;  // Of all histograms.
    std::size_t max_exemplars = 100'000;
    std::size_t max_metadata = 100'000;
    std::size_t max_symbols = 2'000'000;
    std::size_t max_label_bytes = std::size_t{64} << 10;   // A series.
    std::size_t max_copied_bytes = std::size_t{64} << 20;  // Of labels put together from symbols.
};

using LabelViews = std::vector<std::pair<std::string_view, std::string_view>>;

class WriteRequest {
public:
    struct Sample {
        double value = 0;
        std::int64_t time = 0;
        std::int64_t start_time = 0;  // 0: not known.
    };
    struct Exemplar {
        std::uint32_t label_offset = 0;
        std::uint32_t label_size = 0;
        double value = 0;
        std::int64_t time = 0;
        bool broken = false;  // As of a series.
    };
    // Its samples are samples[first_sample .. next series' first_sample), and so on; the last series is a sentinel.
    struct Series {
        std::uint32_t label_offset = 0;
        std::uint32_t label_size = 0;
        std::uint32_t first_sample = 0;
        std::uint32_t first_histogram = 0;
        std::uint32_t first_exemplar = 0;
        bool copied = false;  // The labels lie in `copied`, not in the body.
        bool broken = false;  // Of 2.0: its references mean no labels; it has none then.
    };
    struct Metadata {
        std::string_view family;  // Of 2.0: the metric's name, suffixes like _bucket included.
        std::string_view type;    // "counter", ... as in Prometheus' metadata API; "unknown" if not said.
        std::string_view help;
        std::string_view unit;
    };

    std::vector<Series> series;  // One more than there are.
    std::vector<Sample> samples;
    std::vector<NativeHistogram> histograms;
    std::vector<Exemplar> exemplars;
    std::vector<Metadata> metadata;

    std::size_t series_count() const { return series.empty() ? 0 : series.size() - 1; }
    // The labels as 1.0 encodes them, whichever version they came by: equal bytes are equal labels.
    std::string_view label_bytes(const Series& one) const {
        return (one.copied ? std::string_view(copied) : body).substr(one.label_offset, one.label_size);
    }
    std::string_view label_bytes(const Exemplar& one) const {
        return std::string_view(copied).substr(one.label_offset, one.label_size);
    }

    // Empties all, keeping capacity up to a bound.
    void clear();

    // Where the views point; set by the decoders.
    std::string_view body;
    std::string copied;
    std::vector<std::string_view> symbols;
};

// Decodes into `out`, which is cleared first; its views point into `body`, which must outlive them.
// Errors: InvalidArgument (not such a message), ResourceExhausted (a limit).
Result<Unit> decode_write_request(RemoteWriteVersion version, std::string_view body, const RemoteWriteLimits& limits,
                                  WriteRequest& out);

// The pairs in the order in which they were sent. REQUIRES: `bytes` came from WriteRequest::label_bytes().
// Errors: InvalidArgument (not protobuf).
Result<Unit> parse_label_bytes(std::string_view bytes, LabelViews& out);

// Appends one label as 1.0 encodes it.
void append_label(std::string_view name, std::string_view value, std::string& out);

}  // namespace stoker::wire
