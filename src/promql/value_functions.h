// Functions of one value at a time: rounding, clamping, exponentials, trigonometry, parts of a date.
#pragma once

#include <cstdint>
#include <span>

#include "promql/functions.h"

namespace stoker::promql {

// As Go's math.Max and math.Min: NaN wins, and -0 is less than 0.
double larger(double a, double b);
double smaller(double a, double b);

double fn_round(double value, std::span<const double> params);
double fn_clamp(double value, std::span<const double> params);  // missing() if the bounds cross.
double fn_clamp_min(double value, std::span<const double> params);
double fn_clamp_max(double value, std::span<const double> params);
double fn_sgn(double value, std::span<const double> params);
double fn_deg(double value, std::span<const double> params);
double fn_rad(double value, std::span<const double> params);

// Of a time in seconds since 1970, UTC.
double fn_minute(double value, std::span<const double> params);
double fn_hour(double value, std::span<const double> params);
double fn_day_of_week(double value, std::span<const double> params);  // Sunday is 0.
double fn_day_of_month(double value, std::span<const double> params);
double fn_day_of_year(double value, std::span<const double> params);
double fn_days_in_month(double value, std::span<const double> params);
double fn_month(double value, std::span<const double> params);
double fn_year(double value, std::span<const double> params);

// A function of <cmath> as a ValueFunction.
template <double (*Function)(double)>
double fn_math(double value, std::span<const double>) {
    return Function(value);
}

}  // namespace stoker::promql
