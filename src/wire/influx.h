// InfluxDB's line protocol: measurement,tag=value field=1.5,other=3i 1700000000000000000
//
// Grammar: docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol. One pass; views point into the text unless
// something was escaped. A malformed line is reported and the walk goes on with the next. Stateless and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace stoker::wire {

// What one unit of a timestamp is.
enum class InfluxPrecision : std::uint8_t { Nanoseconds, Microseconds, Milliseconds, Seconds, Minutes, Hours };

// "ns", "n", "us", "u", "ms", "s", "m", "h"; "" is nanoseconds. Errors: InvalidArgument.
Result<InfluxPrecision> parse_influx_precision(std::string_view text);

struct InfluxLimits {
    std::size_t max_line_bytes = std::size_t{1} << 20;
    std::size_t max_tags = 128;
    std::size_t max_fields = 4096;
};

// One line. Valid during the callback only.
struct InfluxPoint {
    struct Field {
        std::string_view name;
        std::optional<double> value;  // Booleans are 1 and 0. Empty: a string.
    };
    std::size_t line = 0;  // From 1.
    std::string_view measurement;
    std::vector<std::pair<std::string_view, std::string_view>> tags;  // As written.
    std::vector<Field> fields;                                        // At least one.
    std::optional<std::int64_t> time_ms;
};

struct InfluxError {
    std::size_t line = 0;
    std::string_view text;  // The line, or its start.
    std::string message;
};

struct InfluxVisitor {
    std::function<void(const InfluxPoint&)> on_point;  // Both must be set.
    std::function<void(const InfluxError&)> on_error;
};

void parse_influx(std::string_view text, InfluxPrecision precision, const InfluxVisitor& visitor,
                  const InfluxLimits& limits = {});

}  // namespace stoker::wire
