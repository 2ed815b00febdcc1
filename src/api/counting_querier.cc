#include "api/counting_querier.h"

#include <utility>

namespace stoker::api {
namespace {

class CountingIterator : public tsdb::SampleIterator {
public:
    CountingIterator(std::unique_ptr<tsdb::SampleIterator> behind, std::atomic<std::uint64_t>& samples)
        : behind_(std::move(behind)), samples_(samples) {}

    tsdb::SampleBlock next_block() override {
        const tsdb::SampleBlock block = behind_->next_block();
        samples_.fetch_add(block.samples.size(), std::memory_order_relaxed);
        return block;
    }
    Result<Unit> status() const override { return behind_->status(); }

private:
    std::unique_ptr<tsdb::SampleIterator> behind_;
    std::atomic<std::uint64_t>& samples_;
};

class CountingSeries : public tsdb::Series {
public:
    CountingSeries(std::shared_ptr<tsdb::Series> behind, std::atomic<std::uint64_t>& samples)
        : behind_(std::move(behind)), samples_(samples) {}

    const tsdb::Labels& labels() const override { return behind_->labels(); }
    std::span<const tsdb::LabelRef> label_refs() const override { return behind_->label_refs(); }
    tsdb::Labels copy_labels() const override { return behind_->copy_labels(); }
    std::string_view metric() const override { return behind_->metric(); }
    std::unique_ptr<tsdb::SampleIterator> samples() const override {
        return std::make_unique<CountingIterator>(behind_->samples(), samples_);
    }
    std::unique_ptr<tsdb::SampleIterator> samples_between(std::int64_t start, std::int64_t end) const override {
        return std::make_unique<CountingIterator>(behind_->samples_between(start, end), samples_);
    }
    std::int64_t rollups(std::int64_t resolution, std::int64_t start, std::int64_t end,
                         std::vector<tsdb::Rollup>& out) const override {
        const std::size_t before = out.size();
        const std::int64_t reached = behind_->rollups(resolution, start, end, out);
        samples_.fetch_add(out.size() - before, std::memory_order_relaxed);
        return reached;
    }
    std::int64_t raw_since() const override { return behind_->raw_since(); }

private:
    std::shared_ptr<tsdb::Series> behind_;
    std::atomic<std::uint64_t>& samples_;
};

}  // namespace

Result<std::vector<std::shared_ptr<tsdb::Series>>> CountingQuerier::select(const std::vector<tsdb::Matcher>& matchers,
                                                                           std::int64_t start, std::int64_t end,
                                                                           std::size_t series_limit) const {
    TRY(auto series, behind_.select(matchers, start, end, series_limit));
    for (auto& one : series) one = std::make_shared<CountingSeries>(std::move(one), samples_);
    return series;
}

Result<std::vector<std::shared_ptr<tsdb::Series>>> CountingQuerier::select_for_rollups(
    const std::vector<tsdb::Matcher>& matchers, std::int64_t start, std::int64_t end, std::size_t series_limit) const {
    TRY(auto series, behind_.select_for_rollups(matchers, start, end, series_limit));
    for (auto& one : series) one = std::make_shared<CountingSeries>(std::move(one), samples_);
    return series;
}

}  // namespace stoker::api
