// OTLP's JSON encoding (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): camelCase keys, enums as numbers,
// 64-bit integers as strings or numbers, trace and span ids in hex. Doubles may be "NaN", "Infinity", "-Infinity".
#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "wire/otlp.h"
#include "wire/otlp_value.h"

namespace stoker::wire::otlp {
namespace {

using internal::Budget;
using internal::kMaxValueDepth;
using simdjson::dom::element;
using Type = simdjson::dom::element_type;

class Decoder {
public:
    explicit Decoder(const Limits& limits) : budget_(limits) {}

    void request(element root, MetricsRequest& out) {
        if (!root.is_object()) throw Malformed{"not a JSON object"};
        members(root, [&](std::string_view key, element value) {
            if (key == "resourceMetrics") {
                each(value, [&](element one) { resource_metrics(one, budget_.add(out.resources)); });
            }
        });
    }

private:
    template <typename Take>
    static void members(element object, const Take& take) {
        if (object.is_null()) return;
        simdjson::dom::object fields;
        if (object.get(fields) != simdjson::SUCCESS) throw Malformed{"an object was expected"};
        for (const auto field : fields) {
            if (!field.value.is_null()) take(field.key, field.value);
        }
    }

    template <typename Take>
    static void each(element list, const Take& take) {
        simdjson::dom::array elements;
        if (list.get(elements) != simdjson::SUCCESS) throw Malformed{"a list was expected"};
        for (const element one : elements) take(one);
    }

    static std::string_view string_of(element value) {
        std::string_view text;
        if (value.get(text) != simdjson::SUCCESS) throw Malformed{"a string was expected"};
        return text;
    }

    static double double_of(element value) {
        double number = 0;
        if (value.get(number) == simdjson::SUCCESS) return number;
        const std::string_view text = string_of(value);
        if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
        if (text == "Infinity") return std::numeric_limits<double>::infinity();
        if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
        const auto parsed = parse_number(text);
        if (!parsed) throw Malformed{"a number was expected"};
        return *parsed;
    }

    // JavaScript writes 64-bit integers as strings, as numbers, and large ones as 1e21.
    template <typename Int>
    static Int integer_of(element value) {
        Int number = 0;
        if (value.get(number) == simdjson::SUCCESS) return number;
        std::string_view text;
        if (value.get(text) == simdjson::SUCCESS) {
            const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (failed == std::errc() && end == text.data() + text.size()) return number;
        }
        double floating = 0;
        if (value.get(floating) == simdjson::SUCCESS && floating == std::floor(floating) &&
            floating >= static_cast<double>(std::numeric_limits<Int>::min()) &&
            floating < static_cast<double>(std::numeric_limits<Int>::max())) {
            return static_cast<Int>(floating);
        }
        throw Malformed{"an integer was expected"};
    }

    static std::int32_t small_integer_of(element value) {
        const auto number = integer_of<std::int64_t>(value);
        if (number < std::numeric_limits<std::int32_t>::min() || number > std::numeric_limits<std::int32_t>::max()) {
            throw Malformed{"an integer of 32 bits was expected"};
        }
        return static_cast<std::int32_t>(number);
    }

    static bool bool_of(element value) {
        bool flag = false;
        if (value.get(flag) != simdjson::SUCCESS) throw Malformed{"true or false was expected"};
        return flag;
    }

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

    void id(element value, std::size_t length, std::string& out) {
        const std::string hex = to_lower(string_of(value).substr(0, length));
        if (hex.find_first_not_of('0') != std::string::npos) budget_.set(out, hex);
    }

    void attributes(element list, Attributes& out) {
        each(list, [&](element one) {
            auto& [name, text_value] = budget_.add(out);
            members(one, [&, &n = name, &t = text_value](std::string_view key, element value) {
                if (key == "key") text(value, n);
                if (key == "value") budget_.set(t, any_value(value, 0));
            });
        });
    }

    // `depth` 0 is an attribute's own value; what lies deeper is JSON inside it.
    std::string any_value(element object, int depth) {
        if (depth > kMaxValueDepth) throw Malformed{"an attribute's lists are nested too deeply"};
        std::string out = depth > 0 ? "null" : "";
        members(object, [&](std::string_view key, element value) {
            if (key == "stringValue" || key == "bytesValue") {
                out = depth > 0 ? quote_json(string_of(value)) : std::string(string_of(value));
            } else if (key == "boolValue") {
                out = bool_of(value) ? "true" : "false";
            } else if (key == "intValue") {
                out = std::to_string(integer_of<std::int64_t>(value));
            } else if (key == "doubleValue") {
                out = internal::double_text(double_of(value));
            } else if (key == "arrayValue" || key == "kvlistValue") {
                out = key == "arrayValue" ? "[" + elements(value, depth) + "]" : "{" + elements(value, depth) + "}";
            }
        });
        return out;
    }

    // Of {"values": [...]}: list elements, or members with a key.
    std::string elements(element object, int depth) {
        std::string out;
        members(object, [&](std::string_view key, element list) {
            if (key != "values") return;
            each(list, [&](element one) {
                if (!out.empty()) out += ',';
                element name;
                element value = one;
                if (one.at_key("key").get(name) == simdjson::SUCCESS) {
                    out += quote_json(string_of(name)) + ":";
                    if (one.at_key("value").get(value) != simdjson::SUCCESS) {
                        out += "null";
                        return;
                    }
                }
                out += any_value(value, depth + 1);
            });
        });
        budget_.take(out.size());
        return out;
    }

    void text(element value, std::string& out) { budget_.set(out, string_of(value)); }

    Budget budget_;
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
