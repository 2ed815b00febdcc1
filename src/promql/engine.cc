#include "promql/engine.h"

#include <algorithm>
#include <utility>

#include "promql/context.h"
#include "promql/durations.h"
#include "promql/evaluator.h"
#include "promql/interpolation.h"
#include "promql/parser.h"
#include "promql/pretty.h"

namespace stoker::promql {

namespace {

Features features_of(const EngineOptions& options) {
    return options.experimental ? Features::Experimental : Features::Stable;
}

void sort_by_labels(Matrix& matrix) {
    std::sort(matrix.begin(), matrix.end(),
              [](const MatrixSeries& a, const MatrixSeries& b) { return a.labels < b.labels; });
}

Matrix to_matrix(Frame frame, const Steps& steps) {
    Matrix matrix;
    for (Column& column : frame) {
        MatrixSeries series{std::move(column.labels), {}};
        for (std::size_t step = 0; step < steps.count; ++step) {
            if (!present(column.values[step])) continue;
            series.samples.push_back({steps.at(step), column.values[step]});
            if (!column.histograms.empty()) series.histograms.push_back(std::move(column.histograms[step]));
        }
        std::vector<double>().swap(column.values);
        std::vector<tsdb::HistogramPtr>().swap(column.histograms);
        const auto null = [](const tsdb::HistogramPtr& histogram) { return histogram == nullptr; };
        if (std::all_of(series.histograms.begin(), series.histograms.end(), null)) series.histograms.clear();
        if (!series.samples.empty()) matrix.push_back(std::move(series));
    }
    sort_by_labels(matrix);
    return matrix;
}

// The numbers and the histograms of a range by time.
void add_samples(MatrixSeries& series, const RangeSamples& samples) {
    auto number = samples.numbers.begin();
    auto histogram = samples.histograms.begin();
    while (number != samples.numbers.end() || histogram != samples.histograms.end()) {
        const bool takes_number = histogram == samples.histograms.end() ||
                                  (number != samples.numbers.end() && number->time < histogram->time);
        if (takes_number) {
            series.samples.push_back(*number++);
            if (!samples.histograms.empty()) series.histograms.emplace_back();
        } else {
            series.samples.push_back({histogram->time, tsdb::histogram_marker()});
            series.histograms.push_back((histogram++)->value);
        }
    }
}

// What was put off to the end of the query.
Result<Frame> drop_names(Frame frame) {
    const auto drops = [](const Column& column) { return column.drop_name; };
    if (std::none_of(frame.begin(), frame.end(), drops)) return frame;
    for (Column& column : frame) {
        if (column.drop_name) column.labels = without_name(column.labels);
    }
    return join_same_labels(std::move(frame));
}

Vector to_vector(Frame frame, std::int64_t time) {
    Vector vector;
    for (Column& column : frame) {
        if (!present(column.values[0])) continue;
        vector.push_back({std::move(column.labels), {time, column.values[0]}, histogram_at(column, 0)});
    }
    return vector;
}

// What foo[5m] alone shows: the samples themselves.
Result<Matrix> raw_samples(Evaluator& evaluator, const Expr& expr) {
    TRY(const RangeArgument range, evaluator.range_argument(expr));
    const std::int64_t end = evaluator.shifted(range.shift, 0);
    Matrix matrix;
    RangeSamples samples;
    for (std::size_t i = 0; i < range.series; ++i) {
        MatrixSeries series{range.labels(i), {}};
        TRY_UNIT(range.load(i, samples));
        if (range.extension != Extension::None) {
            const std::string name = range.extension == Extension::Anchored ? "anchored" : "smoothed";
            if (!samples.histograms.empty()) {
                return execution_error(name + " modifier is not supported with histograms");
            }
            series.samples = internal::extended(samples.numbers, end - range.range, end, range.extension);
            if (!series.samples.empty()) matrix.push_back(std::move(series));
            continue;
        }
        const auto outside = [&](const auto& sample) { return sample.time <= end - range.range || sample.time > end; };
        std::erase_if(samples.numbers, outside);
        std::erase_if(samples.histograms, outside);
        TRY_UNIT(evaluator.context().charge(samples.size()));
        add_samples(series, samples);
        if (!series.samples.empty()) matrix.push_back(std::move(series));
    }
    sort_by_labels(matrix);
    return matrix;
}

void add_notes(Value& value, const Context& context) {
    value.warnings = context.warnings();
    value.infos = context.infos();
}

}  // namespace

Result<Value> Engine::instant(const tsdb::Querier& querier, std::string_view query, Timestamp at,
                              const std::atomic<bool>* cancelled) const {
    TRY(const ExprPtr expr, parse(query, features_of(options_)));
    const std::int64_t time = to_millis(at);
    TRY_UNIT(resolve_durations(query, *expr, {}));
    const Steps steps{time, 1, 1};
    Context context(querier, options_, query, steps, time, cancelled);
    Evaluator evaluator(context, steps);
    Value value;
    switch (expr->type) {
        case ValueType::String:
            value.data = Text{time, unwrap(*expr).as<StringLiteral>()->value};
            break;
        case ValueType::Scalar: {
            TRY(const std::vector<double> values, evaluator.eval_scalar(*expr));
            value.data = Scalar{{time, values.at(0)}};
            break;
        }
        case ValueType::InstantVector: {
            TRY(Frame frame, evaluator.eval(*expr));
            TRY(frame, drop_names(std::move(frame)));
            value.data = to_vector(std::move(frame), time);
            break;
        }
        case ValueType::RangeVector: {
            TRY(value.data, raw_samples(evaluator, *expr));
            break;
        }
    }
    add_notes(value, context);
    return value;
}

Result<Value> Engine::range(const tsdb::Querier& querier, std::string_view query, Timestamp start, Timestamp end,
                            Duration step, const std::atomic<bool>* cancelled) const {
    if (step.count() <= 0) {
        return Error{Errc::InvalidArgument,
                     "zero or negative query resolution step widths are not accepted. Try a positive integer"};
    }
    if (end < start) return Error{Errc::InvalidArgument, "end timestamp must not be before start time"};
    const auto last_step = static_cast<std::uint64_t>((to_millis(end) - to_millis(start)) / step.count());
    if (last_step > options_.max_points) {
        return Error{Errc::InvalidArgument,
                     "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
                     "resolution (?step=XX)"};
    }
    TRY(const ExprPtr expr, parse(query, features_of(options_)));
    TRY_UNIT(resolve_durations(query, *expr, {step.count(), to_millis(end) - to_millis(start)}));
    if (expr->type != ValueType::InstantVector && expr->type != ValueType::Scalar) {
        return Error{Errc::InvalidArgument, "invalid expression type \"" + std::string(to_string(expr->type)) +
                                                "\" for range query, must be Scalar or instant Vector"};
    }
    const Steps steps{to_millis(start), step.count(), static_cast<std::size_t>(last_step) + 1};
    Context context(querier, options_, query, steps, to_millis(end), cancelled);
    TRY(Frame frame, Evaluator(context, steps).eval(*expr));
    TRY(frame, drop_names(std::move(frame)));
    Value value;
    value.data = to_matrix(std::move(frame), steps);
    add_notes(value, context);
    return value;
}

Result<Unit> Engine::check(std::string_view query) const {
    if (auto expr = parse(query, features_of(options_)); !expr) return std::move(expr).error();
    return Unit{};
}

Result<std::string> Engine::format(std::string_view query) const {
    TRY(const ExprPtr expr, parse(query, features_of(options_)));
    return pretty(*expr);
}

Result<std::string> Engine::syntax_tree_json(std::string_view query) const {
    TRY(const ExprPtr expr, parse(query, features_of(options_)));
    return tree_json(*expr);
}

Result<std::vector<tsdb::Matcher>> parse_selector(std::string_view text) {
    TRY(VectorSelector selector, parse_vector_selector(text));
    return std::move(selector.matchers);
}

}  // namespace stoker::promql
