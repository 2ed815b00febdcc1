// Templates in the labels and annotations of alerting rules: the common part of Prometheus' (Go's text/template).
//
//   {{ $labels.instance }}  {{ index $labels "gpu uuid" }}  {{ $value }}   also as .Labels and .Value
//   {{ $value | humanize }}, humanize1024, humanizeDuration, humanizePercentage
//   {{ printf "%.2f" $value }}, {{ $value | printf "%.1f%%" }}, toUpper, toLower
//   {{- and -}} take the space before and after away.
//
// What is not supported (if, range, query) is an error and not an empty text. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "tsdb/labels.h"

namespace stoker::alert {

// A label that the alert does not have is "". Errors: InvalidArgument, with what is wrong and where.
Result<std::string> expand(std::string_view text, const tsdb::Labels& labels, double value);

// Whether the template can be expanded for any alert: call when rules are loaded. Errors: InvalidArgument.
Result<Unit> check_template(std::string_view text);

}  // namespace stoker::alert
