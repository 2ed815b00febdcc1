#include "tsdb/querier.h"

#include <bit>

namespace stoker::tsdb {

bool is_stale(double value) {
    return std::bit_cast<std::uint64_t>(value) == kStaleBits;
}

double stale_marker() {
    return std::bit_cast<double>(kStaleBits);
}

bool is_histogram(double value) {
    return std::bit_cast<std::uint64_t>(value) == kHistogramBits;
}

double histogram_marker() {
    return std::bit_cast<double>(kHistogramBits);
}

bool SampleIterator::next(Sample& sample) {
    if (at_ == block_.samples.size()) {
        block_ = next_block();
        at_ = 0;
        if (block_.samples.empty()) {
            return false;
        }
    }
    sample = block_.samples[at_++];
    return true;
}

const HistogramPtr& SampleIterator::histogram() const {
    static const HistogramPtr kNone;
    return block_.histograms.empty() ? kNone : block_.histograms[at_ - 1];
}

}  // namespace stoker::tsdb
