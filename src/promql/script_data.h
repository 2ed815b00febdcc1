// What a script's `load` puts into memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "promql/memory_querier.h"
#include "promql/series_text.h"

namespace stoker::promql {

// The lines of a `load` and of those that tell when counters began. Errors: InvalidArgument.
Result<std::vector<SeriesText>> parse_load(const std::vector<std::string>& lines);

// Of lines for the same series the last one counts. Native histograms get the hints with which a store hands them out:
// "not reset" where nothing fell since the sample before, "unknown" otherwise; gauges stay gauges. With
// `custom_histograms`, series of classic histograms (_bucket, _count, _sum) are stored as native ones with custom
// buckets as well. Errors: InvalidArgument.
Result<Unit> load_series(MemoryQuerier& data, const std::vector<SeriesText>& all, std::int64_t step,
                         bool custom_histograms);

}  // namespace stoker::promql
