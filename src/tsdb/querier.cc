#include "tsdb/querier.h"

#include <bit>

namespace stoker::tsdb {

bool is_stale(double value) {
    return std::bit_cast<std::uint64_t>(value) == kStaleBits;
}

double stale_marker() {
    return std::bit_cast<double>(kStaleBits);
}

}  // namespace stoker::tsdb
