// Columns made one series at a time: what lets an aggregation over any number of series, or over any length of time,
// hold no more of them than it works on.
//
// Selectors, functions of ranges, and what works on each series for itself (abs(), -x, x > 5) are sources; everything
// that looks at several series works on Frames, which collect() makes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "promql/context.h"
#include "promql/frame.h"

namespace stoker::promql {

// Used by one thread; keeps what it needs from one column to the next.
class ColumnMaker {
public:
    virtual ~ColumnMaker() = default;
    // Fills values and histograms (not the labels) of `out` with column `index`; false if it has no point at all, and
    // `out` is then as it likes. Errors: the context's.
    virtual Result<bool> make(std::size_t index, Column& out) = 0;
};

// Thread-safe.
class ColumnSource {
public:
    virtual ~ColumnSource() = default;
    virtual std::size_t size() const = 0;
    virtual const tsdb::Labels& labels(std::size_t index) const = 0;
    // By value; and as tsdb::Series::label_refs(), empty if the labels are not kept so.
    virtual tsdb::Labels copy_labels(std::size_t index) const { return labels(index); }
    virtual std::span<const tsdb::LabelRef> label_refs(std::size_t /*index*/) const { return {}; }
    // The name does not belong to the result; it goes now or later (EngineOptions::delayed_name_removal).
    virtual bool drops_name(std::size_t index) const = 0;
    // Whether no two columns would have the same labels, were all names dropped.
    virtual bool distinct_without_names() const = 0;
    virtual std::unique_ptr<ColumnMaker> maker() const = 0;
};

// A change to each column for itself. Thread-safe.
using ColumnChange = std::function<void(Column& column)>;

// The columns of `source`, changed.
std::unique_ptr<ColumnSource> changed(std::unique_ptr<ColumnSource> source, ColumnChange change, bool drops_name);

// Makes columns [first, first + columns.size()) with all of the query's threads. made[i]: whether columns[i] has any
// point. `makers` is kept by the caller from one call to the next.
Result<Unit> make_columns(Context& context, const ColumnSource& source, std::size_t first,
                          std::vector<std::unique_ptr<ColumnMaker>>& makers, std::span<Column> columns,
                          std::vector<char>& made);

// How many columns of so many steps to make at a time.
std::size_t columns_at_a_time(std::size_t steps);

// All columns that have a point, in order.
Result<Frame> collect(Context& context, const ColumnSource& source, std::size_t steps);

}  // namespace stoker::promql
