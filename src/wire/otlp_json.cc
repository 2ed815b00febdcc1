// OTLP's JSON encoding (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): camelCase keys, enums as numbers,
// 64-bit integers as strings or numbers, trace and span ids in hex. Doubles may be "NaN", "Infinity", "-Infinity".
#include <simdjson.h>

#include "wire/otlp.h"
#include "wire/otlp_value_json.h"

namespace stoker::wire::otlp {
namespace {

using simdjson::dom::element;

class Decoder : private internal::JsonValues {
public:
    using JsonValues::JsonValues;

    void request(element root, MetricsRequest& out) {
        if (!root.is_object()) throw Malformed{"not a JSON object"};
        members(root, [&](std::string_view key, element value) {
            if (key == "resourceMetrics") {
                each(value, [&](element one) { resource_metrics(one, budget_.add(out.resources)); });
            }
        });
    }

private:
    void resource_metrics(element object, Resource& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "resource") {
                members(value, [&](std::string_view inner, element list) {
                    if (inner == "attributes") attributes(list, out.attributes);
                });
            } else if (key == "scopeMetrics") {
                each(value, [&](element one) { scope_metrics(one, budget_.add(out.scopes)); });
            }
        });
    }

    void scope_metrics(element object, Scope& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "scope") {
                scope(value, out);
            } else if (key == "metrics") {
                each(value, [&](element one) { metric(one, budget_.add(out.metrics)); });
            } else if (key == "schemaUrl") {
                text(value, out.schema_url);
            }
        });
    }

    void scope(element object, Scope& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "name") text(value, out.name);
            if (key == "version") text(value, out.version);
            if (key == "attributes") attributes(value, out.attributes);
        });
    }

    void metric(element object, Metric& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "name") text(value, out.name);
            if (key == "description") text(value, out.description);
            if (key == "unit") text(value, out.unit);
            if (key == "gauge") data(value, Kind::Gauge, out);
            if (key == "sum") data(value, Kind::Sum, out);
            if (key == "histogram") data(value, Kind::Histogram, out);
            if (key == "exponentialHistogram") data(value, Kind::ExponentialHistogram, out);
            if (key == "summary") data(value, Kind::Summary, out);
        });
    }

    void data(element object, Kind kind, Metric& out) {
        out.kind = kind;
        members(object, [&](std::string_view key, element value) {
            if (key == "dataPoints") each(value, [&](element one) { point(one, budget_.add(out.points)); });
            if (key == "aggregationTemporality") out.temporality = temporality(value);
            if (key == "isMonotonic") out.monotonic = bool_of(value);
        });
    }

    // The specification has numbers only, but some exporters write the names.
    static Temporality temporality(element value) {
        std::string_view name;
        if (value.get(name) == simdjson::SUCCESS) {
            if (name == "AGGREGATION_TEMPORALITY_DELTA") return Temporality::Delta;
            if (name == "AGGREGATION_TEMPORALITY_CUMULATIVE") return Temporality::Cumulative;
        }
        switch (value.is_string() ? 0 : integer_of<std::int64_t>(value)) {
            case 1:
                return Temporality::Delta;
            case 2:
                return Temporality::Cumulative;
            default:
                return Temporality::Unspecified;
        }
    }

    // Unlike field numbers, names mean the same in every kind of point.
    void point(element object, Point& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "attributes") return attributes(value, out.attributes);
            if (key == "exemplars") {
                return each(value, [&](element one) { exemplar(one, budget_.add(out.exemplars)); });
            }
            if (key == "bucketCounts") return integers(value, out.bucket_counts);
            if (key == "explicitBounds") {
                return each(value, [&](element one) { budget_.add(out.bounds) = double_of(one); });
            }
            if (key == "positive") return buckets(value, out.positive);
            if (key == "negative") return buckets(value, out.negative);
            if (key == "quantileValues") {
                return each(value, [&](element one) { quantile(one, budget_.add(out.quantiles)); });
            }
            number(key, value, out);
        });
    }

    static void number(std::string_view key, element value, Point& out) {
        if (key == "timeUnixNano") out.time = integer_of<std::uint64_t>(value);
        if (key == "startTimeUnixNano") out.start = integer_of<std::uint64_t>(value);
        if (key == "flags") out.flags = static_cast<std::uint32_t>(integer_of<std::int64_t>(value));
        if (key == "asDouble") out.value = double_of(value);
        if (key == "asInt") out.value = static_cast<double>(integer_of<std::int64_t>(value));
        if (key == "count") out.count = integer_of<std::uint64_t>(value);
        if (key == "sum") out.sum = double_of(value);
        if (key == "scale") out.scale = small_integer_of(value);
        if (key == "zeroCount") out.zero_count = integer_of<std::uint64_t>(value);
        if (key == "zeroThreshold") out.zero_threshold = double_of(value);
    }

    void integers(element list, std::vector<std::uint64_t>& out) {
        each(list, [&](element one) { budget_.add(out) = integer_of<std::uint64_t>(one); });
    }

    void buckets(element object, Buckets& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "offset") out.offset = small_integer_of(value);
            if (key == "bucketCounts") integers(value, out.counts);
        });
    }

    static void quantile(element object, std::pair<double, double>& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "quantile") out.first = double_of(value);
            if (key == "value") out.second = double_of(value);
        });
    }

    void exemplar(element object, Exemplar& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "filteredAttributes") attributes(value, out.attributes);
            if (key == "timeUnixNano") out.time = integer_of<std::uint64_t>(value);
            if (key == "asDouble") out.value = double_of(value);
            if (key == "asInt") out.value = static_cast<double>(integer_of<std::int64_t>(value));
            if (key == "traceId") id(value, 32, out.trace_id);
            if (key == "spanId") id(value, 16, out.span_id);
        });
    }
};

}  // namespace

Result<MetricsRequest> parse_json(std::string_view body, const Limits& limits) {
    simdjson::dom::parser parser;
    element root;
    if (const auto error = parser.parse(body.data(), body.size()).get(root)) {
        return Error{Errc::InvalidArgument, "OTLP metrics: not JSON: " + std::string(simdjson::error_message(error))};
    }
    MetricsRequest out;
    TRY_UNIT(guarded("OTLP metrics", [&] { Decoder(limits).request(root, out); }));
    return out;
}

}  // namespace stoker::wire::otlp
