// Functions of the samples in a window: rates, *_over_time, regressions.
#pragma once

#include <optional>

#include "promql/functions.h"

namespace stoker::promql {

std::optional<double> fn_rate(const Window& window);
std::optional<double> fn_increase(const Window& window);
std::optional<double> fn_delta(const Window& window);
std::optional<double> fn_irate(const Window& window);
std::optional<double> fn_idelta(const Window& window);
std::optional<double> fn_deriv(const Window& window);
std::optional<double> fn_predict_linear(const Window& window);
std::optional<double> fn_double_exponential_smoothing(const Window& window);
std::optional<double> fn_resets(const Window& window);
std::optional<double> fn_changes(const Window& window);

std::optional<double> fn_avg_over_time(const Window& window);
std::optional<double> fn_min_over_time(const Window& window);
std::optional<double> fn_max_over_time(const Window& window);
std::optional<double> fn_sum_over_time(const Window& window);
std::optional<double> fn_count_over_time(const Window& window);
std::optional<double> fn_first_over_time(const Window& window);
std::optional<double> fn_last_over_time(const Window& window);
std::optional<double> fn_present_over_time(const Window& window);
std::optional<double> fn_stddev_over_time(const Window& window);
std::optional<double> fn_stdvar_over_time(const Window& window);
std::optional<double> fn_mad_over_time(const Window& window);
std::optional<double> fn_quantile_over_time(const Window& window);

}  // namespace stoker::promql
