// The numbers of one series within a window that moves forward over them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "tsdb/querier.h"

namespace stoker::promql {

// Reads block by block and keeps only what the window still needs: where it lies within one block, that block itself.
class SampleWindow {
public:
    // Starts over with another series.
    void open(const tsdb::Series& series);

    // The numbers with from < time <= to, staleness markers left out; valid until the next call.
    // REQUIRES: neither edge is before that of the call before.
    std::span<const tsdb::Sample> between(std::int64_t from, std::int64_t to);

    // How many numbers of the series come before the first of the last answer.
    std::uint64_t first_index() const { return passed_ + low_; }

    // Whether between() has met what is too much for it, histograms or start timestamps: from there on it finds
    // nothing.
    bool met_more() const { return met_more_; }

    // Why the series ended early, if it did.
    Result<Unit> status() const { return samples_->status(); }

private:
    bool fetch();

    std::unique_ptr<tsdb::SampleIterator> samples_;
    std::span<const tsdb::Sample> data_;  // A block, or `buffer_`.
    std::size_t low_ = 0;                 // The window within it.
    std::size_t high_ = 0;
    std::uint64_t passed_ = 0;  // Numbers before data_.
    std::vector<tsdb::Sample> buffer_;
    bool ended_ = true;
    bool met_more_ = false;
};

}  // namespace stoker::promql
