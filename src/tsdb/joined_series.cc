#include "tsdb/joined_series.h"

#include <algorithm>
#include <limits>

namespace stoker::tsdb {

// Parts whose times lie apart are walked one after the other. Others (someone wrote old samples of a series that was
// archived) are read whole and merged.
class JoinedIterator final : public SampleIterator {
public:
    JoinedIterator(std::shared_ptr<const JoinedSeries> series, std::int64_t start, std::int64_t end)
        : series_(std::move(series)), start_(start), end_(end) {}

    SampleBlock next_block() override {
        while (true) {
            if (walk_ != nullptr) {
                const SampleBlock block = walk_->next_block();
                if (!block.samples.empty()) {
                    return block;
                }
                note(*walk_);
                walk_.reset();
            }
            const auto& parts = series_->parts_;
            if (next_ == parts.size()) {
                return {};
            }
            const std::size_t first = next_++;
            std::int64_t end = parts[first]->last_time();
            while (next_ < parts.size() && parts[next_]->first_time() <= end) {
                end = std::max(end, parts[next_++]->last_time());
            }
            if (next_ == first + 1) {
                walk_ = parts[first]->samples_between(start_, end_);
                continue;
            }
            merged_.clear();
            for (std::size_t i = first; i < next_; ++i) {
                read(*parts[i]);
            }
            if (!merged_.empty()) {
                return merged_.block();
            }
        }
    }

    Result<Unit> status() const override { return status_; }

private:
    void note(const SampleIterator& walk) {
        if (auto status = walk.status(); !status) {
            status_ = std::move(status).error();
        }
    }

    void read(const StoredSeries& part) {
        const auto walk = part.samples_between(start_, end_);
        SampleList whole;
        for (SampleBlock block = walk->next_block(); !block.samples.empty(); block = walk->next_block()) {
            for (std::size_t i = 0; i < block.samples.size(); ++i) {
                whole.push_back(block.samples[i], block.histograms.empty() ? HistogramPtr() : block.histograms[i]);
            }
        }
        note(*walk);
        merged_ = merge(whole.block(), merged_.block());
    }

    const std::shared_ptr<const JoinedSeries> series_;
    const std::int64_t start_;
    const std::int64_t end_;
    std::size_t next_ = 0;
    std::unique_ptr<SampleIterator> walk_;
    SampleList merged_;
    Result<Unit> status_ = Unit{};
};

JoinedSeries::JoinedSeries(std::shared_ptr<const Selection> owner, std::vector<const StoredSeries*> parts)
    : owner_(std::move(owner)), parts_(std::move(parts)) {
    std::sort(parts_.begin(), parts_.end(),
              [](const auto& a, const auto& b) { return a->first_time() < b->first_time(); });
}

std::unique_ptr<SampleIterator> JoinedSeries::samples() const {
    return samples_between(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
}

std::unique_ptr<SampleIterator> JoinedSeries::samples_between(std::int64_t start, std::int64_t end) const {
    return std::make_unique<JoinedIterator>(shared_from_this(), start, end);
}

}  // namespace stoker::tsdb
