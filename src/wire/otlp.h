// OTLP metrics (opentelemetry-proto 1.x) as values: the request that exporters send, from protobuf and from JSON.
//
// Both decoders fill the same structs and take what the other encoding would have carried, so nothing behind them knows
// which it was. Unknown fields are skipped, as the protocol asks. What cannot be read as a request at all is an error;
// whether a point in it makes sense is for the caller to judge, point by point. Stateless and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace stoker::wire::otlp {

// Keys and values in the order sent. A value that is no string is text as OpenTelemetry writes it: 5, 1.5, true, JSON
// for lists and maps, base64 for bytes.
using Attributes = std::vector<std::pair<std::string, std::string>>;

// The value of `key`; null if there is none.
const std::string* find(const Attributes& attributes, std::string_view key);

enum class Kind : std::uint8_t { None, Gauge, Sum, Histogram, ExponentialHistogram, Summary };
enum class Temporality : std::uint8_t { Unspecified, Delta, Cumulative };

struct Exemplar {
    Attributes attributes;  // Those that the point's own lack.
    std::uint64_t time = 0;
    std::optional<double> value;
    std::string trace_id;  // Hex, lower case; empty if not given or all zero.
    std::string span_id;
};

// A run of exponential buckets: counts[i] is that of bucket offset + i.
struct Buckets {
    std::int32_t offset = 0;
    std::vector<std::uint64_t> counts;
};

// A point of any kind: which fields mean something follows from its metric's kind.
struct Point {
    static constexpr std::uint32_t kNoRecordedValue = 1;

    Attributes attributes;
    std::uint64_t start = 0;  // Nanoseconds since 1970; 0: unknown.
    std::uint64_t time = 0;
    std::uint32_t flags = 0;
    std::vector<Exemplar> exemplars;

    std::optional<double> value;  // Gauge, sum.

    std::uint64_t count = 0;    // Histograms and summaries.
    std::optional<double> sum;  // The same.

    std::vector<double> bounds;                // Histogram: upper bounds, ascending, without +Inf.
    std::vector<std::uint64_t> bucket_counts;  // One more than bounds, or none at all.

    std::int32_t scale = 0;  // Exponential histogram.
    std::uint64_t zero_count = 0;
    double zero_threshold = 0;
    Buckets positive;
    Buckets negative;

    std::vector<std::pair<double, double>> quantiles;  // Summary: quantile and value.

    bool no_recorded_value() const { return (flags & kNoRecordedValue) != 0; }
};

struct Metric {
    std::string name;
    std::string description;
    std::string unit;
    Kind kind = Kind::None;
    Temporality temporality = Temporality::Unspecified;
    bool monotonic = false;
    std::vector<Point> points;
};

struct Scope {
    std::string name;
    std::string version;
    std::string schema_url;
    Attributes attributes;
    std::vector<Metric> metrics;
};

struct Resource {
    Attributes attributes;
    std::vector<Scope> scopes;
};

struct MetricsRequest {
    std::vector<Resource> resources;
};

struct Limits {
    std::size_t max_memory = std::size_t{512} << 20;  // Of the decoded request: two bytes can ask for a whole Point.
};

// Errors: InvalidArgument (not such a request), ResourceExhausted (past a limit).
Result<MetricsRequest> parse_protobuf(std::string_view body, const Limits& limits = {});
Result<MetricsRequest> parse_json(std::string_view body, const Limits& limits = {});

}  // namespace stoker::wire::otlp
