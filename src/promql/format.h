// How values look in answers and messages: numbers as Go writes them, JSON as Prometheus writes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tsdb/labels.h"

namespace stoker::promql {

// strconv.FormatFloat(value, 'f', -1, 64): the shortest digits that read back, never an exponent; "+Inf", "NaN".
std::string format_float(double value);

// A sample's value as Prometheus' JSON has it: as above, but below 1e-6 and from 1e21 on with an exponent.
std::string format_sample_value(double value);

// Go's %g, as warnings have numbers and histograms are written; with the shortest digits, or `precision` of them.
std::string format_general(double value, int precision = -1);

// RFC 3339 in UTC without a fraction: "2024-12-25T00:00:00Z".
std::string format_utc_seconds(std::int64_t millis);

// Milliseconds as seconds: "1435781451.781", and without a fraction where there is none.
std::string format_seconds(std::int64_t millis);

// Labels as Prometheus' messages have them: {__name__="up", job="a"}.
std::string labels_in_message(const tsdb::Labels& labels);

// Go's %q for text and for the character at `offset` ('é', or `end of input` past the end).
std::string quote(std::string_view text);
std::string quote_char(std::string_view text, std::size_t offset);

// JSON. Bytes that are no UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
void append_json_labels(std::string& out, const tsdb::Labels& labels);

}  // namespace stoker::promql
