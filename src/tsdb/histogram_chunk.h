// Chunks of histograms: what all samples of a chunk share (schema, spans, bounds) once, then a row a sample.
//
// A row has its time as a difference of differences, and each count likewise, as an integer, while all counts are
// whole; sums, and counts that are not whole, as the XOR with the row before. A histogram whose layout differs from the
// chunk's begins a new one. Layout in bytes: docs/format/tsdb.md. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tsdb/querier.h"

namespace stoker::tsdb {

class ByteReader;

inline constexpr std::size_t kMaxBuckets = 65'536;  // Of one histogram; more is damage.

// One histogram by itself, as the log carries it.
void put_histogram(std::string& out, const Histogram& histogram);
// Null if malformed.
HistogramPtr read_histogram(ByteReader& reader);

// The chunk of histograms that a series is being appended to.
class OpenHistograms {
public:
    bool empty() const { return count_ == 0; }
    std::size_t count() const { return count_; }
    std::size_t bytes() const { return rows_.size(); }
    std::int64_t min_time() const { return first_time_; }
    std::int64_t max_time() const { return time_; }
    // REQUIRES: not empty.
    const HistogramPtr& last() const { return last_; }
    std::size_t heap_bytes() const;

    // Whether the layout is that of the chunk so far.
    bool fits(const Histogram& histogram) const;
    // REQUIRES: empty, or fits() and time > max_time().
    void append(std::int64_t time, HistogramPtr histogram);

    // The samples so far as a sealed chunk.
    std::string snapshot() const;
    // Goes on after a snapshot. Errors: Corruption.
    static Result<OpenHistograms> load(std::string_view snapshot);

private:
    void put_counts(const Histogram& histogram);

    std::string rows_;  // From the layout on.
    std::uint32_t count_ = 0;
    std::int64_t first_time_ = 0;
    std::int64_t time_ = 0;
    std::int64_t delta_ = 0;
    HistogramPtr last_;
    std::vector<std::int64_t> deltas_;  // Of each count, while they are whole.
};

// The payload of a chunk of rows; appends `count` samples. False if malformed.
bool decode_histogram_rows(std::string_view payload, std::size_t count, std::vector<Sample>& samples,
                           std::vector<HistogramPtr>& histograms);

}  // namespace stoker::tsdb
