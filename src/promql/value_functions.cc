#include "promql/value_functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace stoker::promql {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Moment {
    std::int64_t year = 0;
    unsigned month = 0;        // From 1.
    unsigned day = 0;          // From 1.
    unsigned day_of_year = 0;  // From 1.
    unsigned weekday = 0;      // From Sunday.
    std::uint64_t second_of_day = 0;
};

bool is_leap(std::int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

unsigned month_length(std::int64_t year, unsigned month) {
    static constexpr std::array<unsigned, 12> kLengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : kLengths[month - 1];
}

// Seconds since 1970 as Go takes them: the fraction is cut off, and what 64 bits don't hold, NaN too, is their least
// value. Dates count modulo 2^64 seconds from a day far in the past, so that value is far in the future.
Moment to_moment(double value) {
    constexpr double kTwoTo63 = 9223372036854775808.0;
    const bool fits = value >= -kTwoTo63 && value < kTwoTo63;
    const std::int64_t seconds = fits ? static_cast<std::int64_t>(value) : std::numeric_limits<std::int64_t>::min();
    // From January 1 of the year -292277022399, which leaves a remainder of 1 in cycles of 400 years as 2001 does.
    constexpr std::uint64_t kSecondsBefore1970 = 9223372028715321600ULL;
    constexpr std::int64_t kFirstYear = -292277022399;
    constexpr std::int64_t kDaysOfCycle = 146097;
    const std::uint64_t since = static_cast<std::uint64_t>(seconds) + kSecondsBefore1970;
    const auto days = static_cast<std::int64_t>(since / 86400);
    Moment moment;
    moment.second_of_day = since % 86400;
    // That first day was a Monday.
    moment.weekday = static_cast<unsigned>((days + 1) % 7);
    std::int64_t rest = days % kDaysOfCycle;
    moment.year = kFirstYear + days / kDaysOfCycle * 400;
    const std::int64_t centuries = std::min<std::int64_t>(rest / 36524, 3);
    rest -= centuries * 36524;
    const std::int64_t fours = rest / 1461;
    rest -= fours * 1461;
    const std::int64_t years = std::min<std::int64_t>(rest / 365, 3);
    rest -= years * 365;
    moment.year += centuries * 100 + fours * 4 + years;
    moment.day_of_year = static_cast<unsigned>(rest) + 1;
    moment.month = 1;
    moment.day = moment.day_of_year;
    while (moment.day > month_length(moment.year, moment.month))
        moment.day -= month_length(moment.year, moment.month++);
    return moment;
}

}  // namespace

double larger(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return kNaN;
    if (a == b) return std::signbit(a) ? b : a;
    return a > b ? a : b;
}

double smaller(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return kNaN;
    if (a == b) return std::signbit(a) ? a : b;
    return a < b ? a : b;
}

double fn_round(double value, std::span<const double> params) {
    // Multiplying by the inverse rounds 0.1 and its like as people expect.
    const double inverse = 1.0 / params[0];
    return std::floor(value * inverse + 0.5) / inverse;
}

double fn_clamp(double value, std::span<const double> params) {
    if (params[1] < params[0]) return missing();
    return larger(params[0], smaller(params[1], value));
}

double fn_clamp_min(double value, std::span<const double> params) {
    return larger(params[0], value);
}
double fn_clamp_max(double value, std::span<const double> params) {
    return smaller(params[0], value);
}

double fn_sgn(double value, std::span<const double>) {
    if (value < 0) return -1;
    return value > 0 ? 1 : value;
}

double fn_deg(double value, std::span<const double>) {
    return value * 180 / std::numbers::pi;
}
double fn_rad(double value, std::span<const double>) {
    return value * std::numbers::pi / 180;
}

double fn_minute(double value, std::span<const double>) {
    return static_cast<double>(to_moment(value).second_of_day / 60 % 60);
}
double fn_hour(double value, std::span<const double>) {
    return static_cast<double>(to_moment(value).second_of_day / 3600);
}
double fn_day_of_week(double value, std::span<const double>) {
    return to_moment(value).weekday;
}
double fn_day_of_month(double value, std::span<const double>) {
    return to_moment(value).day;
}
double fn_day_of_year(double value, std::span<const double>) {
    return to_moment(value).day_of_year;
}
double fn_days_in_month(double value, std::span<const double>) {
    const Moment moment = to_moment(value);
    return month_length(moment.year, moment.month);
}
double fn_month(double value, std::span<const double>) {
    return to_moment(value).month;
}
double fn_year(double value, std::span<const double>) {
    return static_cast<double>(to_moment(value).year);
}

}  // namespace stoker::promql
