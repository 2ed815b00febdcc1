// What evaluation works on: one column of values per series, one row per step.
//
// Columns rather than Prometheus' vectors per step: labels are matched and grouped once per series, not once per step.
// A missing point holds the staleness marker, a histogram its own marker beside the histogram itself. Arithmetic can't
// produce either (they are signalling NaNs, and arithmetic only gives quiet ones), so no separate bitmap is needed.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "tsdb/labels.h"
#include "tsdb/querier.h"

namespace stoker::promql {

struct Column {
    tsdb::Labels labels;
    std::vector<double> values;
    std::vector<tsdb::HistogramPtr> histograms = {};  // Empty: numbers only. Otherwise as long as `values`.
    bool drop_name = false;  // The name goes once the query is done (EngineOptions::delayed_name_removal).
};
using Frame = std::vector<Column>;  // A scalar is one column without labels.

inline bool present(double value) {
    return std::bit_cast<std::uint64_t>(value) != tsdb::kStaleBits;
}
inline double missing() {
    return std::bit_cast<double>(tsdb::kStaleBits);
}
inline bool is_histogram(double value) {
    return std::bit_cast<std::uint64_t>(value) == tsdb::kHistogramBits;
}
// Present, and a number.
inline bool is_number(double value) {
    return present(value) && !is_histogram(value);
}

// One value: a number, or a histogram if there is one, or nothing.
struct Point {
    double value = std::bit_cast<double>(tsdb::kStaleBits);
    tsdb::HistogramPtr histogram = {};
};

// Null where the point is no histogram.
inline const tsdb::HistogramPtr& histogram_at(const Column& column, std::size_t step) {
    static const tsdb::HistogramPtr kNone;
    return column.histograms.empty() ? kNone : column.histograms[step];
}
inline Point point_at(const Column& column, std::size_t step) {
    return {column.values[step], histogram_at(column, step)};
}
void set_point(Column& column, std::size_t step, Point point);
void clear_point(Column& column, std::size_t step);
// Leaves out the histograms.
void keep_numbers(Column& column);
inline std::vector<double> missing_values(std::size_t count) {
    return std::vector<double>(count, missing());
}
bool any_present(const std::vector<double>& values);

// The steps of an evaluation: start, start + interval, ... `count` of them.
struct Steps {
    std::int64_t start = 0;
    std::int64_t interval = 1;
    std::size_t count = 1;

    std::int64_t at(std::size_t step) const { return start + static_cast<std::int64_t>(step) * interval; }
    std::int64_t last() const { return at(count - 1); }
};

// Without the name, and without what else only describes the metric of that name: __type__ and __unit__.
tsdb::Labels without_name(const tsdb::Labels& labels);

// What functions and operators do that change what a series means: its name goes, now or at the end of the query.
enum class NameRemoval : std::uint8_t { AtOnce, Delayed };
void drop_name(Column& column, NameRemoval when);

// Joins columns that came to have the same labels (their names dropped, say).
// Errors: InvalidArgument where two of them have a value at one step.
Result<Frame> join_same_labels(Frame frame);

// The same where even taking turns is not allowed, as for functions of ranges.
Result<Unit> require_distinct_labels(const Frame& frame);

}  // namespace stoker::promql
