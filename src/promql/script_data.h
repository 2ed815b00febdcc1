// What a script's `load` puts into memory.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "promql/memory_querier.h"
#include "promql/series_text.h"

namespace stoker::promql {

// Native histograms get the hints with which a store hands them out: "not reset" where nothing fell since the sample
// before, "unknown" otherwise; gauges stay gauges. With `custom_histograms`, series of classic histograms (_bucket,
// _count, _sum) are stored as native ones with custom buckets as well. Errors: InvalidArgument.
Result<Unit> load_series(MemoryQuerier& data, const std::vector<SeriesText>& all, std::int64_t step,
                         bool custom_histograms);

}  // namespace stoker::promql
