// Rollups: what the samples of a stretch of 5 minutes or an hour come to, made once and kept when they are gone.
//
// Stretches are (start, start + resolution], start a multiple of the resolution. Format: docs/format/tsdb.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tsdb/querier.h"

namespace stoker::tsdb {

// A rollup, and what else there was in its stretch.
struct RollupRow {
    Rollup rollup;            // count may be 0: nothing but histograms and markers there.
    bool histograms = false;  // Among the samples; the rollup is of the others.
    bool ends_stale = false;  // The newest is a staleness marker.
    std::uint32_t falls = 0;  // How often a value was below the one before it. Not stored.
};

// Start of the stretch that a time belongs to.
constexpr std::int64_t stretch_of(std::int64_t time, std::int64_t resolution) {
    const std::int64_t back = time - 1;
    const std::int64_t rest = back % resolution;
    return back - (rest < 0 ? rest + resolution : rest);
}

// Takes samples in ascending time and gives the stretches they fill, ascending.
class RollupMaker {
public:
    explicit RollupMaker(std::int64_t resolution) : resolution_(resolution) {}

    void add(const Sample& sample);
    std::vector<RollupRow> take();

private:
    void open(std::int64_t start);
    void close();

    const std::int64_t resolution_;
    std::vector<RollupRow> rows_;
    std::int64_t end_ = 0;   // Of the last row; 0 with no rows.
    double correction_ = 0;  // What its sum has lost to rounding so far.
};

// REQUIRES: rows ascend by start, which are multiples of the resolution.
std::string encode_rollups(const std::vector<RollupRow>& rows, std::int64_t resolution);
// Errors: Corruption.
Result<std::vector<RollupRow>> decode_rollups(std::string_view bytes, std::int64_t resolution);

}  // namespace stoker::tsdb
