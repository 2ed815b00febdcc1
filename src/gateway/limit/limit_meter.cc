#include "gateway/limit/limit_meter.h"

#include <algorithm>
#include <cmath>

namespace stoker::gateway {
namespace {

// Rounding of doubles must not make a client that waited as long as it was told wait again.
constexpr double kSlack = 1e-6;

Duration ceil_millis(double seconds) {
    return Duration{static_cast<std::int64_t>(std::ceil(seconds * 1000 - kSlack))};
}

}  // namespace

double Meter::level(SteadyTime now, MeterRate rate) const {
    const double passed = std::max(0.0, std::chrono::duration<double>(now - at_).count());
    return std::max(0.0, level_ - passed * rate.per_second);
}

std::int64_t Meter::room(SteadyTime now, MeterRate rate) const {
    return std::max(std::int64_t{0}, static_cast<std::int64_t>(std::floor(rate.capacity - level(now, rate) + kSlack)));
}

Duration Meter::wait_for(double units, SteadyTime now, MeterRate rate) const {
    const double over = level(now, rate) + units - rate.capacity;
    if (over <= kSlack) return Duration{0};
    return std::max(Duration{1}, ceil_millis(over / rate.per_second));
}

Duration Meter::until_empty(SteadyTime now, MeterRate rate) const {
    return ceil_millis(level(now, rate) / rate.per_second);
}

void Meter::add(double units, SteadyTime now, MeterRate rate) {
    level_ = std::max(0.0, level(now, rate) + units);
    at_ = std::max(at_, now);
}

void Meter::set(double units, SteadyTime now) {
    level_ = units;
    at_ = now;
}

std::int64_t day_of(Timestamp time) {
    return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

Duration until_tomorrow(Timestamp time) {
    return std::chrono::floor<std::chrono::days>(time) + std::chrono::days{1} - time;
}

void DayCount::turn_to(std::int64_t day) {
    if (day <= day_) return;  // A clock that is set back does not give the day's tokens once more.
    day_ = day;
    used_ = 0;
}

void DayCount::set(std::int64_t day, std::int64_t used, std::int64_t reserved) {
    day_ = day;
    used_ = used;
    reserved_ = reserved;
}

void DayCount::settle(std::int64_t reserved, std::int64_t used) {
    reserved_ = std::max(std::int64_t{0}, reserved_ - reserved);
    used_ += used;
}

}  // namespace stoker::gateway
