// The sources of columns that read series: instant selectors, and functions of ranges.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "promql/ast.h"
#include "promql/column_source.h"
#include "promql/functions.h"
#include "tsdb/querier.h"

namespace stoker::promql {

using SeriesList = std::vector<std::shared_ptr<tsdb::Series>>;

// The times at which something is read: for each step of a query that of the step, shifted by its modifiers.
struct ReadTimes {
    Steps steps;
    std::int64_t shift = 0;  // What is to be taken off.
    bool fixed = false;      // All at `fixed_at`: the @ modifier.
    std::int64_t fixed_at = 0;

    std::int64_t at(std::size_t step) const { return (fixed ? fixed_at : steps.at(step)) - shift; }
    std::int64_t first() const { return at(0); }
    std::int64_t last() const { return at(steps.count - 1); }
};

// What is shown of a sample: its value, when it was taken, or when its counter began (0 if not known), in seconds.
enum class Shows : std::uint8_t { Value, Time, Start };

// The newest sample of each series at each time, no older than the context's lookback.
// REQUIRES: the context outlives the source.
std::unique_ptr<ColumnSource> selector_source(Context& context, SeriesList series, const ReadTimes& times, Shows shows,
                                              bool one_name);

// What a function of a range works on, other than the samples themselves.
struct WindowCall {
    const Function* function = nullptr;
    std::vector<std::vector<double>> args;  // Of the numbers among the arguments, by step.
    ReadTimes times;
    std::int64_t range = 0;
    Extension extension = Extension::None;
    std::size_t place = 0;  // Of the first argument in the query.
};

// A function of ranges of series. REQUIRES: the context outlives the source.
std::unique_ptr<ColumnSource> window_source(Context& context, SeriesList series, WindowCall call, bool one_name);

// The same of a subquery's columns, whose points are at `inner`.
std::unique_ptr<ColumnSource> window_source(Context& context, Frame frame, const Steps& inner, WindowCall call);

// The samples of a series, staleness markers left out.
Result<Unit> load_samples(Context& context, const tsdb::Series& series, RangeSamples& out);
// The points of a column.
void load_points(const Column& column, const Steps& steps, RangeSamples& out);

}  // namespace stoker::promql
