// Reading series: instant selectors, and the range arguments of functions over windows.
#include <algorithm>
#include <memory>
#include <utility>

#include "promql/evaluator.h"
#include "promql/format.h"

namespace stoker::promql {

namespace {

using SeriesList = std::vector<std::shared_ptr<tsdb::Series>>;

// How many samples are read between two looks at the deadline.
constexpr std::uint64_t kCheckEvery = 64 * 1024;

struct CurrentSample {
    tsdb::Sample sample;
    tsdb::HistogramPtr histogram;
};

bool is_stale(const tsdb::Sample& sample, const tsdb::HistogramPtr& histogram) {
    return tsdb::is_stale(sample.value) || (histogram && histogram->stale());
}

// The current value of one series at each step: its newest sample with t - lookback < time <= t, unless that is a
// staleness marker. One pass.
class CurrentValues {
public:
    CurrentValues(const tsdb::Series& series, std::int64_t lookback) : samples_(series.samples()), lookback_(lookback) {
        advance();
    }

    // REQUIRES: `time` is not before that of the call before.
    const CurrentSample* at(std::int64_t time) {
        while (more_ && next_.sample.time <= time) {
            std::swap(current_, next_);
            found_ = true;
            ++read_;
            advance();
        }
        const bool usable =
            found_ && current_.sample.time > time - lookback_ && !is_stale(current_.sample, current_.histogram);
        return usable ? &current_ : nullptr;
    }

    std::uint64_t read() const { return read_; }

private:
    void advance() {
        more_ = samples_->next(next_.sample);
        if (more_) next_.histogram = samples_->histogram();
    }

    std::unique_ptr<tsdb::SampleIterator> samples_;
    std::int64_t lookback_;
    CurrentSample current_;
    CurrentSample next_;
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
            const CurrentSample* found_sample = current.at(shifted(selector.shift, step));
            if (found_sample == nullptr) continue;
            const auto& [sample, histogram] = *found_sample;
            if (times) {
                column.values[step] = static_cast<double>(sample.time) / 1000;
            } else {
                set_point(column, step, {sample.value, histogram});
            }
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

Result<Unit> load_samples(Context& context, const tsdb::Series& series, RangeSamples& out) {
    out.clear();
    const auto samples = series.samples();
    for (tsdb::Sample sample; samples->next(sample);) {
        const tsdb::HistogramPtr& histogram = samples->histogram();
        if (is_stale(sample, histogram)) continue;
        if (histogram) {
            out.histograms.push_back({sample.time, histogram});
        } else {
            out.numbers.push_back(sample);
        }
        if (out.size() % kCheckEvery == kCheckEvery - 1) TRY_UNIT(context.check());
    }
    return context.charge(out.size());
}

Result<RangeArgument> Evaluator::range_argument(const Expr& expr) {
    const Expr& inner = unwrap(expr);
    RangeArgument argument;
    if (const auto* subquery = inner.as<Subquery>()) {
        TRY(argument, subquery_argument(*subquery));
    } else {
        const auto& matrix = *inner.as<MatrixSelector>();
        const auto& selector = *matrix.vector->as<VectorSelector>();
        const std::int64_t lookback = context_.options().lookback.count();
        const std::int64_t before = selector.extension == Extension::None ? 0 : lookback;
        const std::int64_t after = selector.extension == Extension::Smoothed ? lookback : 0;
        const std::int64_t first = shifted(selector.shift, 0) - matrix.range - before + 1;
        const std::int64_t last = shifted(selector.shift, steps_.count - 1) + after;
        TRY(SeriesList found, context_.querier().select(selector.matchers, first, last, 0));
        auto series = std::make_shared<const SeriesList>(std::move(found));
        argument.range = matrix.range;
        argument.shift = selector.shift;
        argument.extension = selector.extension;
        argument.series = series->size();
        argument.labels = [series](std::size_t i) -> const tsdb::Labels& { return (*series)[i]->labels(); };
        argument.load = [series, context = &context_](std::size_t i, RangeSamples& out) {
            return load_samples(*context, *(*series)[i], out);
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
    argument.drops_name = [frame](std::size_t i) { return (*frame)[i].drop_name; };
    argument.load = [frame, inner](std::size_t i, RangeSamples& out) -> Result<Unit> {
        out.clear();
        const Column& column = (*frame)[i];
        for (std::size_t k = 0; k < column.values.size(); ++k) {
            if (const tsdb::HistogramPtr& histogram = histogram_at(column, k)) {
                out.histograms.push_back({inner.at(k), histogram});
            } else if (present(column.values[k])) {
                out.numbers.push_back({inner.at(k), column.values[k]});
            }
        }
        return Unit{};
    };
    return argument;
}

}  // namespace stoker::promql
