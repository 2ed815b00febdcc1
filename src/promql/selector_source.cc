// Instant selectors.
#include <algorithm>
#include <utility>

#include "promql/sources.h"

namespace stoker::promql {

namespace {

constexpr std::size_t kSeriesBetweenLooks = 16;  // At the deadline.

// One series' newest sample at each time, in one pass over its blocks.
class SelectorMaker : public ColumnMaker {
public:
    SelectorMaker(Context& context, const SeriesList& series, const ReadTimes& times, Shows shows)
        : context_(context),
          series_(series),
          times_(times),
          lookback_(context.options().lookback.count()),
          shows_(shows) {}

    Result<bool> make(std::size_t index, Column& out) override {
        if (++made_ % kSeriesBetweenLooks == 0) TRY_UNIT(context_.check());
        out.values.assign(times_.steps.count, missing());
        out.histograms.clear();
        step_ = 0;
        found_ = false;
        any_ = false;
        walk_ = series_[index]->walk(std::move(walk_));
        for (;;) {
            const tsdb::SampleBlock block = walk_->next_block();
            if (block.samples.empty()) break;
            take(block, out);
            if (step_ == times_.steps.count) break;
        }
        while (step_ < times_.steps.count) show(out);
        if (auto whole = walk_->status(); !whole) context_.unreadable(whole.error());
        return any_;
    }

private:
    void take(const tsdb::SampleBlock& block, Column& out) {
        const auto later = [](std::int64_t time, const tsdb::Sample& sample) { return time < sample.time; };
        auto at = block.samples.begin();
        while (at != block.samples.end()) {
            while (step_ < times_.steps.count && times_.at(step_) < at->time) show(out);
            if (step_ == times_.steps.count) return;
            // What comes after may be newer and still in time, so this step waits.
            const std::int64_t time = times_.at(step_);
            auto next = at + 1;
            if (next != block.samples.end() && next->time <= time) {
                next = std::upper_bound(next, block.samples.end(), time, later);
            }
            const auto index = static_cast<std::size_t>(next - 1 - block.samples.begin());
            newest_ = block.samples[index];
            start_ = block.starts.empty() ? 0 : block.starts[index];
            found_ = true;
            if (block.histograms.empty()) {
                histogram_ = nullptr;
            } else {
                histogram_ = block.histograms[index];
            }
            at = next;
        }
    }

    void show(Column& out) {
        const std::size_t step = step_++;
        if (!found_ || newest_.time <= times_.at(step) - lookback_ || tsdb::is_stale(newest_.value)) return;
        if (histogram_ && histogram_->stale()) return;
        any_ = true;
        if (shows_ != Shows::Value) {
            out.values[step] = static_cast<double>(shows_ == Shows::Time ? newest_.time : start_) / 1000;
        } else if (histogram_) {
            set_point(out, step, {0, histogram_});
        } else {
            out.values[step] = newest_.value;
        }
    }

    Context& context_;
    const SeriesList& series_;
    const ReadTimes& times_;
    const std::int64_t lookback_;
    const Shows shows_;
    std::unique_ptr<tsdb::SampleIterator> walk_;
    std::size_t made_ = 0;
    std::size_t step_ = 0;  // The next to be shown.
    tsdb::Sample newest_;
    tsdb::HistogramPtr histogram_;
    std::int64_t start_ = 0;
    bool found_ = false;
    bool any_ = false;
};

class SelectorSource : public ColumnSource {
public:
    SelectorSource(Context& context, SeriesList series, const ReadTimes& times, Shows shows, bool one_name)
        : context_(context), series_(std::move(series)), times_(times), shows_(shows), one_name_(one_name) {}

    std::size_t size() const override { return series_.size(); }
    const tsdb::Labels& labels(std::size_t index) const override { return series_[index]->labels(); }
    tsdb::Labels copy_labels(std::size_t index) const override { return series_[index]->copy_labels(); }
    std::span<const tsdb::LabelRef> label_refs(std::size_t index) const override {
        return series_[index]->label_refs();
    }
    bool drops_name(std::size_t) const override { return false; }
    bool distinct_without_names() const override { return one_name_; }
    std::unique_ptr<ColumnMaker> maker() const override {
        return std::make_unique<SelectorMaker>(context_, series_, times_, shows_);
    }

private:
    Context& context_;
    SeriesList series_;
    ReadTimes times_;
    Shows shows_;
    bool one_name_;
};

}  // namespace

std::unique_ptr<ColumnSource> selector_source(Context& context, SeriesList series, const ReadTimes& times, Shows shows,
                                              bool one_name) {
    return std::make_unique<SelectorSource>(context, std::move(series), times, shows, one_name);
}

}  // namespace stoker::promql
