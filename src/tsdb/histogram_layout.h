// What the histograms of one chunk share, and their counts as one list: zero bucket, all, positive, negative.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tsdb/bytes.h"
#include "tsdb/histogram.h"

namespace stoker::tsdb {

void put_layout(std::string& out, const Histogram& histogram);
// Fills schema, threshold, spans, bounds, and makes room for the counts. False if malformed.
bool read_layout(ByteReader& reader, Histogram& histogram);
bool same_layout(const Histogram& a, const Histogram& b);

inline std::size_t count_fields(const Histogram& histogram) {
    return 2 + histogram.positive.size() + histogram.negative.size();
}
// REQUIRES: index < count_fields().
inline double& count_field(Histogram& histogram, std::size_t index) {
    if (index < 2) {
        return index == 0 ? histogram.zero_count : histogram.count;
    }
    index -= 2;
    return index < histogram.positive.size() ? histogram.positive[index]
                                             : histogram.negative[index - histogram.positive.size()];
}
inline double count_field(const Histogram& histogram, std::size_t index) {
    return count_field(const_cast<Histogram&>(histogram), index);
}

// Whether the value survives as an integer, the sign of zero included.
bool is_whole(double value);
bool whole_counts(const Histogram& histogram);

// `bits` as its bytes without the zero ones at either end: a byte with the number left out below in its upper half and
// that of those left in its lower, then these.
void put_trimmed(std::string& out, std::uint64_t bits);
std::uint64_t read_trimmed(ByteReader& reader);

}  // namespace stoker::tsdb
