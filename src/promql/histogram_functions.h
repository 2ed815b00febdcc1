// Functions of histograms: of native ones each by itself, of classic ones the series that differ in the label "le"
// alone.
#pragma once

#include "promql/functions.h"

namespace stoker::promql {

double fn_histogram_count(const tsdb::Histogram& histogram);
double fn_histogram_sum(const tsdb::Histogram& histogram);
double fn_histogram_avg(const tsdb::Histogram& histogram);
double fn_histogram_stddev(const tsdb::Histogram& histogram);
double fn_histogram_stdvar(const tsdb::Histogram& histogram);

Result<Frame> fn_histogram_quantile(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_histogram_quantiles(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_histogram_fraction(Evaluator& evaluator, const Expr& expr, const Call& call);

}  // namespace stoker::promql
