// The samples of ranges: of a selector's series, and the points of a subquery.
#include <memory>
#include <utility>

#include "promql/evaluator.h"
#include "promql/sources.h"

namespace stoker::promql {

Result<SeriesList> Evaluator::series_of(const MatrixSelector& matrix, Reads reads) {
    const auto& selector = *matrix.vector->as<VectorSelector>();
    const std::int64_t lookback = context_.options().lookback.count();
    const std::int64_t before = selector.extension == Extension::None ? 0 : lookback;
    const std::int64_t after = selector.extension == Extension::Smoothed ? lookback : 0;
    const std::int64_t first = shifted(selector.shift, 0) - matrix.range - before + 1;
    const std::int64_t last = shifted(selector.shift, steps_.count - 1) + after;
    const tsdb::Querier& querier = context_.querier();
    return reads == Reads::Rollups ? querier.select_for_rollups(selector.matchers, first, last, 0)
                                   : querier.select(selector.matchers, first, last, 0);
}

Result<RangeArgument> Evaluator::range_argument(const Expr& expr) {
    const Expr& inner = unwrap(expr);
    RangeArgument argument;
    argument.begin = inner.begin;
    if (const auto* subquery = inner.as<Subquery>()) {
        TRY(SubqueryPoints found, subquery_points(*subquery));
        auto points = std::make_shared<const SubqueryPoints>(std::move(found));
        argument.range = subquery->range;
        argument.shift = subquery->shift;
        argument.series = points->frame.size();
        argument.labels = [points](std::size_t i) -> const tsdb::Labels& { return points->frame[i].labels; };
        argument.load = [points](std::size_t i, RangeSamples& out) -> Result<Unit> {
            load_points(points->frame[i], points->steps, out);
            return Unit{};
        };
        return argument;
    }
    const auto& matrix = *inner.as<MatrixSelector>();
    const auto& selector = *matrix.vector->as<VectorSelector>();
    TRY(SeriesList found, series_of(matrix));
    auto series = std::make_shared<const SeriesList>(std::move(found));
    argument.range = matrix.range;
    argument.shift = selector.shift;
    argument.extension = selector.extension;
    argument.series = series->size();
    argument.labels = [series](std::size_t i) -> const tsdb::Labels& { return (*series)[i]->labels(); };
    argument.load = [series, context = &context_](std::size_t i, RangeSamples& out) {
        return load_samples(*context, *(*series)[i], out);
    };
    return argument;
}

// Evaluates the inner expression at the multiples of the subquery's step that fall into its ranges.
Result<SubqueryPoints> Evaluator::subquery_points(const Subquery& subquery) {
    const std::int64_t step = subquery.step > 0 ? subquery.step : context_.options().subquery_step.count();
    const std::int64_t from = shifted(subquery.shift, 0) - subquery.range;
    const std::int64_t to = shifted(subquery.shift, steps_.count - 1);
    std::int64_t start = from / step * step;
    while (start <= from) start += step;
    SubqueryPoints points;
    points.steps = {start, step, 0};
    if (to < start) return points;
    points.steps.count = static_cast<std::size_t>((to - start) / step) + 1;
    TRY_UNIT(context_.charge(points.steps.count));
    TRY(points.frame, Evaluator(context_, points.steps).eval(*subquery.inner));
    return points;
}

}  // namespace stoker::promql
