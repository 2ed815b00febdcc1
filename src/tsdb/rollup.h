// Rollups: what the samples of a stretch of 5 minutes or an hour come to, made once and kept when they are gone.
//
// Stretches are (start, start + resolution], start a multiple of the resolution. Format: docs/format/tsdb.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tsdb/querier.h"

namespace stoker::tsdb {

// A rollup, and whether it can stand for its stretch.
struct RollupRow {
    Rollup rollup;       // count may be 0: nothing but histograms and markers there.
    bool mixed = false;  // Histograms or staleness markers are among the samples; the rollup is of the others.
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
    const std::int64_t resolution_;
    std::vector<RollupRow> rows_;
};

// REQUIRES: rows ascend by start, which are multiples of the resolution.
std::string encode_rollups(const std::vector<RollupRow>& rows, std::int64_t resolution);
// Errors: Corruption.
Result<std::vector<RollupRow>> decode_rollups(std::string_view bytes, std::int64_t resolution);

}  // namespace stoker::tsdb
