// When counters began, as scripts write it on a line before a series', one item a step of that series:
//
//   requests_total{job="a"}@st  -30s -60s _ *x2
//   requests_total{job="a"}     1 2 3 4 5 6
//
//   -30s  so long before the sample (or behind it: 30s)     -30sx3       the same four times
//   -30s-15sx3   -30s -45s -60s -75s                        _  _x3       not known, of one sample and of three
//   *  *x3       the last that was known again, once and four times
//
// A line that begins with @st, without a metric, is for all series below it that have no such line of their own; where
// it runs out it starts over.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tsdb/labels.h"

namespace stoker::promql {

// Against the time of its sample, in milliseconds.
using StartOffset = std::optional<std::int64_t>;

struct StartText {
    std::optional<tsdb::Labels> labels;  // None: of all series below.
    std::vector<StartOffset> offsets;
};

// Nothing, if the line is no such line. Errors: InvalidArgument.
Result<std::optional<StartText>> parse_start_text(std::string_view line);

}  // namespace stoker::promql
