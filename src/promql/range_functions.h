// Functions of the samples in a window: rates, *_over_time, regressions.
#pragma once

#include <optional>

#include "promql/functions.h"

namespace stoker::promql {

// Of numbers or of histograms; of a mix only where that makes sense, else nothing with a warning.
Point fn_rate(const Window& window);
Point fn_increase(const Window& window);
Point fn_delta(const Window& window);
Point fn_irate(const Window& window);
Point fn_idelta(const Window& window);
Point fn_resets(const Window& window);
Point fn_changes(const Window& window);
Point fn_avg_over_time(const Window& window);
Point fn_sum_over_time(const Window& window);
Point fn_count_over_time(const Window& window);
Point fn_first_over_time(const Window& window);
Point fn_last_over_time(const Window& window);
Point fn_present_over_time(const Window& window);
Point fn_ts_of_first_over_time(const Window& window);
Point fn_ts_of_last_over_time(const Window& window);

std::optional<double> fn_deriv(const Window& window);
std::optional<double> fn_predict_linear(const Window& window);
std::optional<double> fn_double_exponential_smoothing(const Window& window);
std::optional<double> fn_min_over_time(const Window& window);
std::optional<double> fn_max_over_time(const Window& window);
std::optional<double> fn_ts_of_min_over_time(const Window& window);
std::optional<double> fn_ts_of_max_over_time(const Window& window);
std::optional<double> fn_stddev_over_time(const Window& window);
std::optional<double> fn_stdvar_over_time(const Window& window);
std::optional<double> fn_mad_over_time(const Window& window);
std::optional<double> fn_quantile_over_time(const Window& window);

}  // namespace stoker::promql
