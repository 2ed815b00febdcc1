// Functions of ranges answered from rollups: whole hours from what the store made of them, the windows' edges and what
// is newer from samples.
//
// Exact but for the order in which sums are rounded (within an ulp or two of the plain form). Where samples are gone
// and only rollups are left, a stretch counts for the windows that its end falls into.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "promql/kahan.h"
#include "promql/sources.h"
#include "tsdb/querier.h"

namespace stoker::promql {

// What a window holds, as one rollup.
struct WindowTotal {
    tsdb::Rollup all;
    KahanSum sum;

    void add(const tsdb::Rollup& rollup);
    void add(const tsdb::Sample& sample);
};

class RollupWindows {
public:
    // Whether the windows are long and lie such that hours spare most of the samples: then their series are best had by
    // select_for_rollups().
    static bool pays(const WindowCall& call);

    RollupWindows(Context& context, const WindowCall& call);

    // The points of a series. False, and `out` is as it likes, if rollups are no help or no match for its samples.
    Result<bool> make(const tsdb::Series& series, Column& out, bool& any);

private:
    enum class Kind : std::uint8_t { None, Sum, Avg, Count, Min, Max, First, Last, Present, Rate, Increase, Delta };

    static Kind kind_of(const WindowCall& call);
    bool find_rows(const tsdb::Series& series);
    bool read_samples(const tsdb::Series& series, std::int64_t from, std::int64_t to, std::vector<tsdb::Sample>& out);
    bool add_samples(const tsdb::Series& series, std::int64_t from, std::int64_t to, WindowTotal& total);
    bool total_of(const tsdb::Series& series, std::int64_t begin, std::int64_t end, WindowTotal& total);
    bool value_of(const WindowTotal& total, std::int64_t begin, std::int64_t end, std::optional<double>& value) const;

    Context& context_;
    const WindowCall& call_;
    const Kind kind_;
    bool pays_;
    std::int64_t raw_since_ = 0;  // Of the series at hand.
    std::int64_t reached_ = 0;    // Up to here there are rows, from here on samples_.
    std::vector<tsdb::Rollup> rows_;
    std::vector<tsdb::Sample> samples_;
    std::vector<tsdb::Sample> edge_;
    std::size_t low_ = 0;  // The first row that may be in the window; windows move forward.
};

}  // namespace stoker::promql
