// Series as scripts write them: `metric{a="b"} 1 2 _ stale 0+10x5 {{schema:1 sum:3 count:2 buckets:[1 1]}}x3`.
//
//   1 2.5 -3 NaN   a value a step         _      a step without a sample       stale   the series ends here
//   0+10x3         0 10 20 30             5x2    5 5 5                         _x4     four steps without
//   {{...}}        a native histogram, with xN and +{{...}}xN or -{{...}}xN as for numbers. Keys: schema, sum, count,
//                  buckets, offset, n_buckets, n_offset, z_bucket, z_bucket_w, custom_values, counter_reset_hint.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "promql/frame.h"
#include "promql/start_text.h"
#include "tsdb/histogram.h"
#include "tsdb/labels.h"

namespace stoker::promql {

struct SeriesValue {
    Point point;              // Missing for `_`.
    bool stale = false;       // `stale`: the point is missing too.
    bool hint_given = false;  // A histogram's counter_reset_hint was written out.
};

struct SeriesText {
    tsdb::Labels labels;
    std::vector<SeriesValue> values;       // One a step.
    std::vector<StartOffset> starts = {};  // Empty, or as long as `values`; from a line of its own (start_text.h).
};

// Errors: InvalidArgument.
Result<SeriesText> parse_series_text(std::string_view line);

// One histogram: {{...}}, all of `text`. Errors: InvalidArgument.
Result<tsdb::Histogram> parse_histogram_literal(std::string_view text, bool& hint_given);

}  // namespace stoker::promql
