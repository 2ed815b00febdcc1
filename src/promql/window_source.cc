// Functions of ranges: a window slides over each series' samples. Its edges only move forward, so each sample enters
// and leaves once.
#include <algorithm>
#include <utility>

#include "promql/format.h"
#include "promql/notes.h"
#include "promql/rollup_windows.h"
#include "promql/sample_window.h"
#include "promql/sliding.h"
#include "promql/sources.h"

namespace stoker::promql {

namespace {

constexpr std::size_t kStepsBetweenLooks = 64;  // At the deadline.
constexpr std::size_t kSeriesBetweenLooks = 16;

// Samples with from < time <= to, of those in ascending order.
template <typename Sample>
class Slider {
public:
    explicit Slider(const std::vector<Sample>& samples) : samples_(samples) {}

    // REQUIRES: neither edge is before that of the call before.
    std::span<const Sample> between(std::int64_t from, std::int64_t to) {
        while (high_ < samples_.size() && samples_[high_].time <= to) ++high_;
        while (low_ < high_ && samples_[low_].time <= from) ++low_;
        return {samples_.data() + low_, high_ - low_};
    }
    std::uint64_t first_index() const { return low_; }

private:
    const std::vector<Sample>& samples_;
    std::size_t low_ = 0;
    std::size_t high_ = 0;
};

bool named_like_a_counter(std::string_view name) {
    return name.ends_with("_total") || name.ends_with("_sum") || name.ends_with("_count") || name.ends_with("_bucket");
}

Point apply(const Function& function, const Window& window) {
    if (const auto* mixed = std::get_if<MixedWindowFunction>(&function.apply)) return (*mixed)(window);
    if (window.samples.empty()) return {};
    if (!window.histograms.empty()) window.notes->inform(notes::ignored_in_range(window.metric), window.place);
    const std::optional<double> value = std::get<WindowFunction>(function.apply)(window);
    return value ? Point{*value, nullptr} : Point{};
}

// Errors: Execution, for factors that smooth nothing.
Result<Unit> check_params(const Function& function, std::span<const double> params) {
    if (params.size() != 2 || function.name != "double_exponential_smoothing") return Unit{};
    const auto fits = [](double factor) { return factor > 0 && factor < 1; };
    if (!fits(params[0])) {
        return execution_error("invalid smoothing factor. Expected: 0 < sf < 1, got: " + std::to_string(params[0]));
    }
    if (!fits(params[1])) {
        return execution_error("invalid trend factor. Expected: 0 < tf < 1, got: " + std::to_string(params[1]));
    }
    return Unit{};
}

// Slides over one series after the other.
class WindowMaker {
public:
    WindowMaker(Context& context, const WindowCall& call) : context_(context), call_(call) {
        const std::int64_t lookback = context.options().lookback.count();
        before_ = call.extension == Extension::None ? 0 : lookback;
        after_ = call.extension == Extension::Smoothed ? lookback : 0;
        params_.resize(call.args.size());
        window_.extension = call.extension;
        window_.notes = &context.notes();
        window_.place = call.place;
        window_.params = params_;
        if (call.extension == Extension::None && call.times.steps.count > 1 && call.times.steps.interval < call.range) {
            sliding_ = sliding_form(*call.function);
        }
    }

    // Of numbers in the series' order, which `read` gives window by window.
    template <typename Read>
    Result<bool> numbers(std::string_view metric, Read& read, Column& out) {
        begin(metric, out);
        if (sliding_) sliding_->restart();
        window_.histograms = {};
        window_.starts = {};
        for (std::size_t step = 0; step < call_.times.steps.count; ++step) {
            place_window(step);
            window_.samples = read.between(window_.begin, window_.end);
            if (window_.samples.empty()) continue;
            TRY_UNIT(hold(window_.samples.size()));
            TRY_UNIT(look(step));
            TRY_UNIT(check_params(*call_.function, params_));
            if (sliding_) {
                if (const auto value = sliding_->apply(window_, read.first_index())) {
                    out.values[step] = *value;
                    any_ = true;
                }
            } else {
                show(step, apply(*call_.function, window_), out);
            }
        }
        any_number_ = any_;
        return end();
    }

    // Of numbers and histograms.
    Result<bool> mixed(std::string_view metric, const RangeSamples& samples, Column& out) {
        Slider numbers(samples.numbers);
        if (samples.histograms.empty() && samples.starts.empty() && plain()) {
            return this->numbers(metric, numbers, out);
        }
        begin(metric, out);
        Slider histograms(samples.histograms);
        for (std::size_t step = 0; step < call_.times.steps.count; ++step) {
            place_window(step);
            window_.samples = numbers.between(window_.begin - before_, window_.end + after_);
            window_.histograms = histograms.between(window_.begin - before_, window_.end + after_);
            window_.starts = {};
            if (!samples.starts.empty() && plain()) {
                window_.starts = std::span(samples.starts).subspan(numbers.first_index(), window_.samples.size());
            }
            if (window_.samples.empty() && window_.histograms.empty()) continue;
            TRY_UNIT(hold(window_.samples.size() + window_.histograms.size()));
            TRY_UNIT(look(step));
            TRY_UNIT(check_params(*call_.function, params_));
            show(step, apply(*call_.function, window_), out);
        }
        return end();
    }

    // What there is to say of a column that was made without the samples.
    bool given(std::string_view metric, bool any) {
        metric_ = metric;
        any_ = any_number_ = any;
        return end();
    }

    Context& context() { return context_; }
    bool plain() const { return call_.extension == Extension::None; }

private:
    void begin(std::string_view metric, Column& out) {
        out.values.assign(call_.times.steps.count, missing());
        out.histograms.clear();
        metric_ = metric;
        window_.metric = metric_;
        any_ = false;
        any_number_ = false;
    }

    void place_window(std::size_t step) {
        window_.time = call_.times.steps.at(step);
        window_.end = call_.times.at(step);
        window_.begin = window_.end - call_.range;
        for (std::size_t i = 0; i < params_.size(); ++i) params_[i] = call_.args[i][step];
    }

    Result<Unit> look(std::size_t step) {
        if (step % kStepsBetweenLooks == kStepsBetweenLooks - 1) return context_.check();
        return Unit{};
    }

    // Samples of a window count as long as the series does.
    Result<Unit> hold(std::size_t samples) {
        if (samples <= held_) return Unit{};
        const std::size_t more = samples - std::exchange(held_, samples);
        return context_.charge(more);
    }

    void show(std::size_t step, Point point, Column& out) {
        if (!point.histogram && !present(point.value)) return;
        any_ = true;
        any_number_ = any_number_ || !point.histogram;
        set_point(out, step, std::move(point));
    }

    bool end() {
        context_.discharge(std::exchange(held_, 0));
        if (call_.function->flag == Function::Flag::WantsCounter && any_number_ && !metric_.empty() &&
            !named_like_a_counter(metric_)) {
            context_.inform(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " + quote(metric_),
                call_.place);
        }
        return any_;
    }

    Context& context_;
    const WindowCall& call_;
    std::int64_t before_ = 0;
    std::int64_t after_ = 0;
    std::vector<double> params_;
    Window window_;
    std::unique_ptr<SlidingFunction> sliding_;
    std::string metric_;
    std::size_t held_ = 0;
    bool any_ = false;
    bool any_number_ = false;
};

class SeriesMaker : public ColumnMaker {
public:
    SeriesMaker(Context& context, const SeriesList& series, const WindowCall& call)
        : series_(series), maker_(context, call), rollups_(context, call) {}

    Result<bool> make(std::size_t index, Column& out) override {
        if (++made_ % kSeriesBetweenLooks == 0) TRY_UNIT(maker_.context().check());
        const tsdb::Series& series = *series_[index];
        const std::string_view metric = series.metric();
        bool any_rolled = false;
        TRY(const bool rolled, rollups_.make(series, out, any_rolled));
        if (rolled) return maker_.given(metric, any_rolled);
        if (maker_.plain()) {
            window_.open(series);
            TRY(const bool any, maker_.numbers(metric, window_, out));
            if (auto whole = window_.status(); !whole) maker_.context().unreadable(whole.error());
            if (!window_.met_more()) return any;
        }
        TRY_UNIT(load_samples(maker_.context(), series, samples_));
        return maker_.mixed(metric, samples_, out);
    }

private:
    const SeriesList& series_;
    WindowMaker maker_;
    RollupWindows rollups_;
    std::size_t made_ = 0;
    SampleWindow window_;
    RangeSamples samples_;
};

class SeriesSource : public ColumnSource {
public:
    SeriesSource(Context& context, SeriesList series, WindowCall call, bool one_name)
        : context_(context), series_(std::move(series)), call_(std::move(call)), one_name_(one_name) {}

    std::size_t size() const override { return series_.size(); }
    const tsdb::Labels& labels(std::size_t index) const override { return series_[index]->labels(); }
    tsdb::Labels copy_labels(std::size_t index) const override { return series_[index]->copy_labels(); }
    std::span<const tsdb::LabelRef> label_refs(std::size_t index) const override {
        return series_[index]->label_refs();
    }
    bool drops_name(std::size_t) const override { return !call_.function->keeps_name(); }
    bool distinct_without_names() const override { return one_name_; }
    std::unique_ptr<ColumnMaker> maker() const override {
        return std::make_unique<SeriesMaker>(context_, series_, call_);
    }

private:
    Context& context_;
    SeriesList series_;
    WindowCall call_;
    bool one_name_;
};

// What a histogram's hint says of the sample before it does not hold of the point before it in a subquery.
void forget_neighbour(tsdb::HistogramPtr& histogram) {
    using Hint = tsdb::Histogram::ResetHint;
    if (histogram->reset_hint == Hint::Unknown || histogram->reset_hint == Hint::Gauge) return;
    auto copy = std::make_shared<tsdb::Histogram>(*histogram);
    copy->reset_hint = Hint::Unknown;
    histogram = std::move(copy);
}

class SubqueryMaker : public ColumnMaker {
public:
    SubqueryMaker(Context& context, const Frame& frame, const Steps& inner, const WindowCall& call)
        : frame_(frame), inner_(inner), maker_(context, call) {}

    Result<bool> make(std::size_t index, Column& out) override {
        load_points(frame_[index], inner_, samples_);
        for (HistogramSample& sample : samples_.histograms) forget_neighbour(sample.value);
        return maker_.mixed(frame_[index].labels.metric(), samples_, out);
    }

private:
    const Frame& frame_;
    const Steps& inner_;
    WindowMaker maker_;
    RangeSamples samples_;
};

class SubquerySource : public ColumnSource {
public:
    SubquerySource(Context& context, Frame frame, const Steps& inner, WindowCall call)
        : context_(context), frame_(std::move(frame)), inner_(inner), call_(std::move(call)) {}

    std::size_t size() const override { return frame_.size(); }
    const tsdb::Labels& labels(std::size_t index) const override { return frame_[index].labels; }
    bool drops_name(std::size_t index) const override {
        return frame_[index].drop_name || !call_.function->keeps_name();
    }
    bool distinct_without_names() const override {
        return std::none_of(frame_.begin(), frame_.end(),
                            [](const Column& column) { return column.labels.has(tsdb::kMetricName); });
    }
    std::unique_ptr<ColumnMaker> maker() const override {
        return std::make_unique<SubqueryMaker>(context_, frame_, inner_, call_);
    }

private:
    Context& context_;
    Frame frame_;
    Steps inner_;
    WindowCall call_;
};

}  // namespace

std::unique_ptr<ColumnSource> window_source(Context& context, SeriesList series, WindowCall call, bool one_name) {
    return std::make_unique<SeriesSource>(context, std::move(series), std::move(call), one_name);
}

std::unique_ptr<ColumnSource> window_source(Context& context, Frame frame, const Steps& inner, WindowCall call) {
    return std::make_unique<SubquerySource>(context, std::move(frame), inner, std::move(call));
}

Result<Unit> load_samples(Context& context, const tsdb::Series& series, RangeSamples& out) {
    out.clear();
    const auto samples = series.samples();
    for (;;) {
        const tsdb::SampleBlock block = samples->next_block();
        if (block.samples.empty()) break;
        TRY_UNIT(context.check());
        for (std::size_t i = 0; i < block.samples.size(); ++i) {
            const tsdb::Sample& sample = block.samples[i];
            const tsdb::HistogramPtr histogram = block.histograms.empty() ? nullptr : block.histograms[i];
            const std::int64_t start = block.starts.empty() ? 0 : block.starts[i];
            if (tsdb::is_stale(sample.value) || (histogram && histogram->stale())) continue;
            if (histogram) {
                out.histograms.push_back({sample.time, histogram, start});
            } else {
                out.numbers.push_back(sample);
                if (!block.starts.empty() || !out.starts.empty()) {
                    out.starts.resize(out.numbers.size());
                    out.starts.back() = start;
                }
            }
        }
    }
    if (auto whole = samples->status(); !whole) context.unreadable(whole.error());
    return Unit{};
}

void load_points(const Column& column, const Steps& steps, RangeSamples& out) {
    out.clear();
    for (std::size_t step = 0; step < column.values.size(); ++step) {
        if (!present(column.values[step])) continue;
        if (const tsdb::HistogramPtr& histogram = histogram_at(column, step)) {
            out.histograms.push_back({steps.at(step), histogram, 0});
        } else {
            out.numbers.push_back({steps.at(step), column.values[step]});
        }
    }
}

}  // namespace stoker::promql
