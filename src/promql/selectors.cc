// Reading series: instant selectors, and the range arguments of functions over windows.
#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "promql/evaluator.h"
#include "promql/format.h"

namespace stoker::promql {

namespace {

using SeriesList = std::vector<std::shared_ptr<tsdb::Series>>;

// How many samples are read between two looks at the deadline.
constexpr std::uint64_t kCheckEvery = 64 * 1024;

// The current value of one series at each step: its newest sample with t - lookback < time <= t, unless that is a
// staleness marker. One pass.
class CurrentValues {
public:
    CurrentValues(const tsdb::Series& series, std::int64_t lookback) : samples_(series.samples()), lookback_(lookback) {
        more_ = samples_->next(next_);
    }

    // REQUIRES: `time` is not before that of the call before.
    const tsdb::Sample* at(std::int64_t time) {
        while (more_ && next_.time <= time) {
            current_ = next_;
            found_ = true;
            ++read_;
            more_ = samples_->next(next_);
        }
        const bool usable = found_ && current_.time > time - lookback_ && !tsdb::is_stale(current_.value);
        return usable ? &current_ : nullptr;
    }

    std::uint64_t read() const { return read_; }

private:
    std::unique_ptr<tsdb::SampleIterator> samples_;
    std::int64_t lookback_;
    tsdb::Sample current_;
    tsdb::Sample next_;
    bool found_ = false;
    bool more_ = false;
    std::uint64_t read_ = 0;
};

}  // namespace

Result<Frame> Evaluator::eval_selector(const VectorSelector& selector, bool times) {
    const std::int64_t lookback = context_.options().lookback.count();
    const std::int64_t first = shifted(selector.shift, 0) - lookback + 1;
    const std::int64_t last = shifted(selector.shift, steps_.count - 1);
    TRY(const SeriesList found, context_.querier().select(selector.matchers, first, last, 0));
    Frame frame;
    frame.reserve(found.size());
    std::uint64_t unchecked = 0;
    for (const auto& series : found) {
        CurrentValues current(*series, lookback);
        Column column{series->labels(), missing_values(steps_.count)};
        std::uint64_t points = 0;
        for (std::size_t step = 0; step < steps_.count; ++step) {
            const tsdb::Sample* sample = current.at(shifted(selector.shift, step));
            if (sample == nullptr) continue;
            column.values[step] = times ? static_cast<double>(sample->time) / 1000 : sample->value;
            ++points;
        }
        unchecked += current.read() + steps_.count;
        if (unchecked > kCheckEvery) {
            unchecked = 0;
            TRY_UNIT(context_.check());
        }
        if (points == 0) continue;
        TRY_UNIT(context_.charge(steps_.count));
        frame.push_back(std::move(column));
    }
    return frame;
}

Result<RangeArgument> Evaluator::range_argument(const Expr& expr) {
    const Expr& inner = unwrap(expr);
    RangeArgument argument;
    if (const auto* subquery = inner.as<Subquery>()) {
        TRY(argument, subquery_argument(*subquery));
    } else {
        const auto& matrix = *inner.as<MatrixSelector>();
        const auto& selector = *matrix.vector->as<VectorSelector>();
        const std::int64_t first = shifted(selector.shift, 0) - matrix.range + 1;
        const std::int64_t last = shifted(selector.shift, steps_.count - 1);
        TRY(SeriesList found, context_.querier().select(selector.matchers, first, last, 0));
        auto series = std::make_shared<const SeriesList>(std::move(found));
        argument.range = matrix.range;
        argument.shift = selector.shift;
        argument.series = series->size();
        argument.labels = [series](std::size_t i) -> const tsdb::Labels& { return (*series)[i]->labels(); };
        argument.load = [series, context = &context_](std::size_t i, std::vector<tsdb::Sample>& out) -> Result<Unit> {
            out.clear();
            const auto samples = (*series)[i]->samples();
            for (tsdb::Sample sample; samples->next(sample);) {
                if (!tsdb::is_stale(sample.value)) out.push_back(sample);
                if (out.size() % kCheckEvery == kCheckEvery - 1) TRY_UNIT(context->check());
            }
            return context->charge(out.size());
        };
    }
    argument.begin = inner.begin;
    return argument;
}

// Evaluates the inner expression at the multiples of the subquery's step that fall into its ranges.
Result<RangeArgument> Evaluator::subquery_argument(const Subquery& subquery) {
    const std::int64_t step = subquery.step > 0 ? subquery.step : context_.options().subquery_step.count();
    const std::int64_t from = shifted(subquery.shift, 0) - subquery.range;
    const std::int64_t to = shifted(subquery.shift, steps_.count - 1);
    std::int64_t start = from / step * step;
    while (start <= from) start += step;
    Steps inner{start, step, 0};
    if (to >= start) inner.count = static_cast<std::size_t>((to - start) / step) + 1;

    auto frame = std::make_shared<Frame>();
    if (inner.count > 0) {
        TRY_UNIT(context_.charge(inner.count));
        TRY(*frame, Evaluator(context_, inner).eval(*subquery.inner));
    }
    RangeArgument argument;
    argument.range = subquery.range;
    argument.shift = subquery.shift;
    argument.series = frame->size();
    argument.labels = [frame](std::size_t i) -> const tsdb::Labels& { return (*frame)[i].labels; };
    argument.load = [frame, inner](std::size_t i, std::vector<tsdb::Sample>& out) -> Result<Unit> {
        out.clear();
        const std::vector<double>& values = (*frame)[i].values;
        for (std::size_t k = 0; k < values.size(); ++k) {
            if (present(values[k])) out.push_back({inner.at(k), values[k]});
        }
        return Unit{};
    };
    return argument;
}

// Slides the window over each series' samples: both edges only move forward, so each sample enters and leaves once.
Result<Frame> Evaluator::eval_window(const Call& call, WindowFunction function) {
    const Function& info = *call.function;
    TRY(const std::vector<std::vector<double>> args, scalar_args(call));
    const auto is_range = [](const ExprPtr& arg) { return arg->type == ValueType::RangeVector; };
    TRY(const RangeArgument range, range_argument(**std::find_if(call.args.begin(), call.args.end(), is_range)));
    if (info.name == "quantile_over_time") {
        for (const double q : args[0]) {
            if (q >= 0 && q <= 1) continue;
            context_.warn("quantile value should be between 0 and 1, got " + format_float(q), call.args[0]->begin);
            break;
        }
    }
    Frame frame;
    std::vector<tsdb::Sample> samples;
    std::vector<double> params(args.size());
    for (std::size_t index = 0; index < range.series; ++index) {
        TRY_UNIT(context_.check());
        TRY_UNIT(range.load(index, samples));
        if (samples.empty()) continue;
        Column column{range.labels(index), missing_values(steps_.count)};
        if (info.flag == Function::Flag::WantsCounter) {
            const std::string_view name = column.labels.metric();
            if (!name.empty() && !name.ends_with("_total") && !name.ends_with("_sum") && !name.ends_with("_count") &&
                !name.ends_with("_bucket")) {
                context_.inform(
                    "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " + quote(name),
                    range.begin);
            }
        }
        if (info.flag != Function::Flag::KeepsName) column.labels = without_name(column.labels);
        bool any = false;
        std::size_t low = 0;
        std::size_t high = 0;
        for (std::size_t step = 0; step < steps_.count; ++step) {
            Window window;
            window.time = steps_.at(step);
            window.end = shifted(range.shift, step);
            window.begin = window.end - range.range;
            while (high < samples.size() && samples[high].time <= window.end) ++high;
            while (low < high && samples[low].time <= window.begin) ++low;
            if (low == high) continue;
            if (step % 256 == 255) TRY_UNIT(context_.check());
            for (std::size_t i = 0; i < args.size(); ++i) params[i] = args[i][step];
            window.samples = {samples.data() + low, high - low};
            window.params = params;
            if (const std::optional<double> value = function(window)) {
                column.values[step] = *value;
                any = true;
            }
        }
        if (!any) continue;
        TRY_UNIT(context_.charge(steps_.count));
        frame.push_back(std::move(column));
    }
    TRY_UNIT(require_distinct_labels(frame));
    return frame;
}

}  // namespace stoker::promql
