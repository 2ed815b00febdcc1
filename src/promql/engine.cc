#include "promql/engine.h"

#include <algorithm>
#include <utility>

#include "promql/context.h"
#include "promql/evaluator.h"
#include "promql/parser.h"

namespace stoker::promql {

namespace {

void sort_by_labels(Matrix& matrix) {
    std::sort(matrix.begin(), matrix.end(),
              [](const MatrixSeries& a, const MatrixSeries& b) { return a.labels < b.labels; });
}

Matrix to_matrix(Frame frame, const Steps& steps) {
    Matrix matrix;
    for (Column& column : frame) {
        MatrixSeries series{std::move(column.labels), {}};
        for (std::size_t step = 0; step < steps.count; ++step) {
            if (present(column.values[step])) series.samples.push_back({steps.at(step), column.values[step]});
        }
        std::vector<double>().swap(column.values);
        if (!series.samples.empty()) matrix.push_back(std::move(series));
    }
    sort_by_labels(matrix);
    return matrix;
}

Vector to_vector(Frame frame, std::int64_t time) {
    Vector vector;
    for (Column& column : frame) {
        if (present(column.values[0])) vector.push_back({std::move(column.labels), {time, column.values[0]}});
    }
    return vector;
}

// What foo[5m] alone shows: the samples themselves.
Result<Matrix> raw_samples(Evaluator& evaluator, const Expr& expr) {
    TRY(const RangeArgument range, evaluator.range_argument(expr));
    const std::int64_t end = evaluator.shifted(range.shift, 0);
    Matrix matrix;
    for (std::size_t i = 0; i < range.series; ++i) {
        MatrixSeries series{range.labels(i), {}};
        TRY_UNIT(range.load(i, series.samples));
        std::erase_if(series.samples,
                      [&](const tsdb::Sample& s) { return s.time <= end - range.range || s.time > end; });
        if (!series.samples.empty()) matrix.push_back(std::move(series));
    }
    sort_by_labels(matrix);
    return matrix;
}

void add_notes(Value& value, const Context& context) {
    value.warnings.assign(context.warnings().begin(), context.warnings().end());
    value.infos.assign(context.infos().begin(), context.infos().end());
}

}  // namespace

Result<Value> Engine::instant(const tsdb::Querier& querier, std::string_view query, Timestamp at,
                              const std::atomic<bool>* cancelled) const {
    TRY(const ExprPtr expr, parse(query));
    const std::int64_t time = to_millis(at);
    Context context(querier, options_, query, time, time, cancelled);
    const Steps steps{time, 1, 1};
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
    TRY(const ExprPtr expr, parse(query));
    if (expr->type != ValueType::InstantVector && expr->type != ValueType::Scalar) {
        return Error{Errc::InvalidArgument, "invalid expression type \"" + std::string(to_string(expr->type)) +
                                                "\" for range query, must be Scalar or instant Vector"};
    }
    const Steps steps{to_millis(start), step.count(), static_cast<std::size_t>(last_step) + 1};
    Context context(querier, options_, query, to_millis(start), to_millis(end), cancelled);
    TRY(Frame frame, Evaluator(context, steps).eval(*expr));
    Value value;
    value.data = to_matrix(std::move(frame), steps);
    add_notes(value, context);
    return value;
}

Result<Unit> Engine::check(std::string_view query) const {
    if (auto expr = parse(query); !expr) return std::move(expr).error();
    return Unit{};
}

Result<std::string> Engine::format(std::string_view query) const {
    TRY_UNIT(check(query));
    return std::string(query);
}

Result<std::string> Engine::syntax_tree_json(std::string_view query) const {
    TRY_UNIT(check(query));
    return Error{Errc::Unavailable, "the syntax tree can't be shown yet"};
}

Result<std::vector<tsdb::Matcher>> parse_selector(std::string_view text) {
    TRY(VectorSelector selector, parse_vector_selector(text));
    return std::move(selector.matchers);
}

}  // namespace stoker::promql
