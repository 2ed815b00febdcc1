#include "tsdb/querier.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace stoker::tsdb {

namespace {

// Passes over what is out of the range.
class BetweenIterator final : public SampleIterator {
public:
    BetweenIterator(std::unique_ptr<SampleIterator> all, std::int64_t start, std::int64_t end)
        : all_(std::move(all)), start_(start), end_(end) {}

    SampleBlock next_block() override {
        for (SampleBlock block = all_->next_block(); !block.samples.empty(); block = all_->next_block()) {
            const auto samples = block.samples;
            const auto first = std::lower_bound(samples.begin(), samples.end(), start_,
                                                [](const Sample& a, std::int64_t time) { return a.time < time; });
            const auto last = std::upper_bound(first, samples.end(), end_,
                                               [](std::int64_t time, const Sample& a) { return time < a.time; });
            if (first == last && last != samples.end()) {
                return {};
            }
            if (first != last) {
                const auto offset = static_cast<std::size_t>(first - samples.begin());
                const auto count = static_cast<std::size_t>(last - first);
                return {samples.subspan(offset, count),
                        block.histograms.empty() ? block.histograms : block.histograms.subspan(offset, count),
                        block.starts.empty() ? block.starts : block.starts.subspan(offset, count)};
            }
        }
        return {};
    }
    Result<Unit> status() const override { return all_->status(); }

private:
    const std::unique_ptr<SampleIterator> all_;
    const std::int64_t start_;
    const std::int64_t end_;
};

}  // namespace

void extend(Rollup& rollup, const Rollup& later) {
    rollup.end = std::max(rollup.end, later.end);
    rollup.lost += later.lost + (later.first < rollup.last ? rollup.last : 0);
    rollup.sum += later.sum;
    // A NaN counts only where there is nothing else.
    rollup.min = later.min < rollup.min || std::isnan(rollup.min) ? later.min : rollup.min;
    rollup.max = later.max > rollup.max || std::isnan(rollup.max) ? later.max : rollup.max;
    rollup.last = later.last;
    rollup.last_time = later.last_time;
    rollup.count += later.count;
}

std::unique_ptr<SampleIterator> Series::samples_between(std::int64_t start, std::int64_t end) const {
    return std::make_unique<BetweenIterator>(samples(), start, end);
}

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
