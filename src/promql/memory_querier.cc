#include "promql/memory_querier.h"

#include <algorithm>
#include <set>
#include <utility>

#include "tsdb/matcher.h"

namespace stoker::promql {

namespace {

using Samples = MemoryQuerier::Samples;

class MemorySeries : public tsdb::Series {
public:
    MemorySeries(tsdb::Labels labels, std::shared_ptr<const Samples> samples, std::int64_t start, std::int64_t end)
        : labels_(std::move(labels)), samples_(std::move(samples)), start_(start), end_(end) {}

    const tsdb::Labels& labels() const override { return labels_; }

    std::unique_ptr<tsdb::SampleIterator> samples() const override {
        class Iterator : public tsdb::SampleIterator {
        public:
            Iterator(std::shared_ptr<const Samples> samples, std::int64_t start, std::int64_t end)
                : samples_(std::move(samples)), end_(end) {
                const auto before = [](const tsdb::Sample& sample, std::int64_t time) { return sample.time < time; };
                const auto& values = samples_->values;
                at_ = static_cast<std::size_t>(std::lower_bound(values.begin(), values.end(), start, before) -
                                               values.begin());
            }
            tsdb::SampleBlock next_block() override {
                const std::size_t from = at_;
                while (at_ < samples_->values.size() && samples_->values[at_].time <= end_) ++at_;
                tsdb::SampleBlock block{{samples_->values.data() + from, at_ - from}, {}};
                if (!samples_->histograms.empty()) block.histograms = {samples_->histograms.data() + from, at_ - from};
                if (!samples_->starts.empty()) block.starts = {samples_->starts.data() + from, at_ - from};
                return block;
            }

        private:
            std::shared_ptr<const Samples> samples_;
            std::size_t at_ = 0;
            std::int64_t end_;
        };
        return std::make_unique<Iterator>(samples_, start_, end_);
    }

private:
    tsdb::Labels labels_;
    std::shared_ptr<const Samples> samples_;
    std::int64_t start_;
    std::int64_t end_;
};

}  // namespace

void MemoryQuerier::add(const tsdb::Labels& labels, tsdb::Sample sample, tsdb::HistogramPtr histogram,
                        std::int64_t start) {
    std::shared_ptr<Samples>& samples = series_[labels];
    if (samples == nullptr) samples = std::make_shared<Samples>();
    std::vector<tsdb::Sample>& values = samples->values;
    std::vector<tsdb::HistogramPtr>& histograms = samples->histograms;
    std::vector<std::int64_t>& starts = samples->starts;
    const auto before = [](const tsdb::Sample& other, std::int64_t time) { return other.time < time; };
    const auto at = std::lower_bound(values.begin(), values.end(), sample.time, before);
    const auto index = at - values.begin();
    if (histogram != nullptr) {
        histograms.resize(values.size());
        sample.value = tsdb::histogram_marker();
    }
    const bool keeps_histograms = histogram != nullptr || !histograms.empty();
    if (start != 0) starts.resize(values.size());
    const bool keeps_starts = start != 0 || !starts.empty();
    if (at != values.end() && at->time == sample.time) {
        *at = sample;
        if (keeps_histograms) histograms[static_cast<std::size_t>(index)] = std::move(histogram);
        if (keeps_starts) starts[static_cast<std::size_t>(index)] = start;
        return;
    }
    values.insert(at, sample);
    if (keeps_histograms) histograms.insert(histograms.begin() + index, std::move(histogram));
    if (keeps_starts) starts.insert(starts.begin() + index, start);
}

Result<std::vector<std::shared_ptr<tsdb::Series>>> MemoryQuerier::select(const std::vector<tsdb::Matcher>& matchers,
                                                                         std::int64_t start, std::int64_t end,
                                                                         std::size_t series_limit) const {
    TRY(const std::vector<tsdb::CompiledMatcher> compiled, tsdb::compile_all(matchers));
    std::vector<std::shared_ptr<tsdb::Series>> found;
    for (const auto& [labels, samples] : series_) {
        const auto fits = [&series_labels = labels](const tsdb::CompiledMatcher& matcher) {
            return matcher.matches(series_labels.get(matcher.name()));
        };
        if (!std::all_of(compiled.begin(), compiled.end(), fits)) continue;
        if (samples->values.back().time < start || samples->values.front().time > end) continue;
        if (series_limit != 0 && found.size() == series_limit) {
            return Error{Errc::ResourceExhausted, "more than " + std::to_string(series_limit) + " series match"};
        }
        found.push_back(std::make_shared<MemorySeries>(labels, samples, start, end));
    }
    return found;
}

Result<std::vector<std::string>> MemoryQuerier::label_names(const std::vector<tsdb::Matcher>& matchers,
                                                            std::int64_t start, std::int64_t end) const {
    TRY(const auto series, select(matchers, start, end, 0));
    std::set<std::string> names;
    for (const auto& one : series) {
        for (const auto& [name, value] : one->labels()) names.insert(name);
    }
    return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> MemoryQuerier::label_values(const std::string& name,
                                                             const std::vector<tsdb::Matcher>& matchers,
                                                             std::int64_t start, std::int64_t end) const {
    TRY(const auto series, select(matchers, start, end, 0));
    std::set<std::string> values;
    for (const auto& one : series) {
        if (one->labels().has(name)) values.emplace(one->labels().get(name));
    }
    return std::vector<std::string>(values.begin(), values.end());
}

}  // namespace stoker::promql
