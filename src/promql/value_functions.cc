#include "promql/value_functions.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>

namespace stoker::promql {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Moment {
    std::chrono::year_month_day date;
    std::chrono::sys_days day;
    std::int64_t second_of_day;
};

// False for what is no time within the years that calendars know.
bool to_moment(double value, Moment& moment) {
    if (!(std::abs(value) < 9e11)) return false;
    const std::chrono::sys_seconds time{std::chrono::seconds{static_cast<std::int64_t>(value)}};
    moment.day = std::chrono::floor<std::chrono::days>(time);
    moment.date = std::chrono::year_month_day{moment.day};
    moment.second_of_day = (time - moment.day).count();
    return true;
}

template <typename Part>
double part_of_date(double value, Part part) {
    Moment moment{};
    if (!to_moment(value, moment)) return kNaN;
    return static_cast<double>(part(moment));
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
    return part_of_date(value, [](const Moment& m) { return m.second_of_day / 60 % 60; });
}

double fn_hour(double value, std::span<const double>) {
    return part_of_date(value, [](const Moment& m) { return m.second_of_day / 3600; });
}

double fn_day_of_week(double value, std::span<const double>) {
    return part_of_date(value, [](const Moment& m) { return std::chrono::weekday{m.day}.c_encoding(); });
}

double fn_day_of_month(double value, std::span<const double>) {
    return part_of_date(value, [](const Moment& m) { return static_cast<unsigned>(m.date.day()); });
}

double fn_day_of_year(double value, std::span<const double>) {
    return part_of_date(value, [](const Moment& m) {
        const std::chrono::sys_days new_year{m.date.year() / std::chrono::January / 1};
        return (m.day - new_year).count() + 1;
    });
}

double fn_days_in_month(double value, std::span<const double>) {
    return part_of_date(value, [](const Moment& m) {
        const std::chrono::year_month_day_last last{m.date.year() / m.date.month() / std::chrono::last};
        return static_cast<unsigned>(last.day());
    });
}

double fn_month(double value, std::span<const double>) {
    return part_of_date(value, [](const Moment& m) { return static_cast<unsigned>(m.date.month()); });
}

double fn_year(double value, std::span<const double>) {
    return part_of_date(value, [](const Moment& m) { return static_cast<int>(m.date.year()); });
}

}  // namespace stoker::promql
