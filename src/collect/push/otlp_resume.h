// Where a sum of deltas had got to, read back from the store: what a process that starts, or one that has forgotten a
// quiet series, goes on from, so that the counter neither starts again nor counts a repeated request twice.
#pragma once

#include <cstdint>
#include <optional>

#include "tsdb/labels.h"
#include "tsdb/querier.h"
#include "wire/otlp.h"

namespace stoker::collect {

// The last total in the store between two times (milliseconds) of the series that `kind` and `like`, the delta at hand,
// are written to; without a start, which nobody remembers. Its time is the end of its millisecond: all that the store
// keeps. Nothing if there is none, or none that a point of this kind could go on from.
std::optional<wire::otlp::Point> last_total(const tsdb::Querier& store, const tsdb::Labels& series,
                                            wire::otlp::Kind kind, const wire::otlp::Point& like, std::int64_t since,
                                            std::int64_t until);

}  // namespace stoker::collect
