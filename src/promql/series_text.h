// Series as scripts write them: `metric{a="b"} 1 2 _ stale 0+10x5`.
//
//   1 2.5 -3 NaN   a value a step         _      a step without a sample       stale   the series ends here
//   0+10x3         0 10 20 30             5x2    5 5 5                         _x4     four steps without
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tsdb/labels.h"

namespace stoker::promql {

struct SeriesText {
    tsdb::Labels labels;
    std::vector<std::optional<double>> values;  // One a step; `stale` is the staleness marker.
};

// Errors: InvalidArgument.
Result<SeriesText> parse_series_text(std::string_view line);

}  // namespace stoker::promql
