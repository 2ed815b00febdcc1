// Functions of ranges: a window slides over each series' samples. Its edges only move forward, so each sample enters
// and leaves once.
#include <algorithm>
#include <utility>

#include "promql/evaluator.h"
#include "promql/format.h"

namespace stoker::promql {

namespace {

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
    if (function.name != "double_exponential_smoothing") return Unit{};
    const auto fits = [](double factor) { return factor > 0 && factor < 1; };
    if (!fits(params[0])) {
        return execution_error("invalid smoothing factor. Expected: 0 < sf < 1, got: " + std::to_string(params[0]));
    }
    if (!fits(params[1])) {
        return execution_error("invalid trend factor. Expected: 0 < tf < 1, got: " + std::to_string(params[1]));
    }
    return Unit{};
}

// Functions that know what to do with samples beyond the range. Errors: Execution for others.
Result<Unit> check_extension(const Function& function, Extension extension) {
    if (extension == Extension::None) return Unit{};
    const std::string name(function.name);
    const bool rates = name == "rate" || name == "increase" || name == "delta";
    if (extension == Extension::Anchored) {
        if (rates || name == "changes" || name == "resets") return Unit{};
        return execution_error(
            "anchored modifier can only be used with: changes, delta, increase, rate, resets - not with " + name);
    }
    if (rates) return Unit{};
    return execution_error("smoothed modifier can only be used with: delta, increase, rate - not with " + name);
}

}  // namespace

Result<Frame> Evaluator::eval_window(const Call& call) {
    const Function& function = *call.function;
    TRY(const std::vector<std::vector<double>> args, scalar_args(call));
    const auto is_range = [](const ExprPtr& arg) { return arg->type == ValueType::RangeVector; };
    TRY(const RangeArgument range, range_argument(**std::find_if(call.args.begin(), call.args.end(), is_range)));
    TRY_UNIT(check_extension(function, range.extension));
    const std::int64_t lookback = context_.options().lookback.count();
    const std::int64_t before = range.extension == Extension::None ? 0 : lookback;
    const std::int64_t after = range.extension == Extension::Smoothed ? lookback : 0;
    const bool keeps_name = function.keeps_name();

    Frame frame;
    RangeSamples samples;
    std::vector<double> params(args.size());
    Window window;
    window.extension = range.extension;
    window.notes = &context_.notes();
    window.place = unwrap(*call.args[0]).begin;
    for (std::size_t index = 0; index < range.series; ++index) {
        TRY_UNIT(context_.check());
        TRY_UNIT(range.load(index, samples));
        if (samples.empty()) continue;
        const std::string metric(range.labels(index).metric());
        window.metric = metric;
        Column column{range.labels(index), missing_values(steps_.count)};
        column.drop_name = range.drops_name(index);
        if (!keeps_name) drop_name(column, context_.name_removal());
        bool any = false;
        bool any_number = false;
        Slider numbers(samples.numbers);
        Slider histograms(samples.histograms);
        for (std::size_t step = 0; step < steps_.count; ++step) {
            window.time = steps_.at(step);
            window.end = shifted(range.shift, step);
            window.begin = window.end - range.range;
            window.samples = numbers.between(window.begin - before, window.end + after);
            window.histograms = histograms.between(window.begin - before, window.end + after);
            if (window.samples.empty() && window.histograms.empty()) continue;
            if (step % 256 == 255) TRY_UNIT(context_.check());
            for (std::size_t i = 0; i < args.size(); ++i) params[i] = args[i][step];
            window.params = params;
            TRY_UNIT(check_params(function, params));
            Point point = apply(function, window);
            if (!point.histogram && !present(point.value)) continue;
            any = true;
            any_number = any_number || !point.histogram;
            set_point(column, step, std::move(point));
        }
        if (function.flag == Function::Flag::WantsCounter && any_number && !metric.empty() &&
            !named_like_a_counter(metric)) {
            context_.inform(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " + quote(metric),
                window.place);
        }
        if (!any) continue;
        TRY_UNIT(context_.charge(steps_.count));
        frame.push_back(std::move(column));
    }
    if (context_.name_removal() == NameRemoval::AtOnce) TRY_UNIT(require_distinct_labels(frame));
    return frame;
}

}  // namespace stoker::promql
