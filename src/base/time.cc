#include "base/time.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>

#include "base/text.h"

namespace stoker {
namespace {

struct DurationUnit {
    std::string_view name;
    std::int64_t millis;
};

// Largest first: the order in which Prometheus wants them written.
constexpr std::array<DurationUnit, 7> kUnits = {{
    {"y", 365LL * 24 * 3600 * 1000},
    {"w", 7LL * 24 * 3600 * 1000},
    {"d", 24LL * 3600 * 1000},
    {"h", 3600LL * 1000},
    {"m", 60LL * 1000},
    {"s", 1000},
    {"ms", 1},
}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string_view take_while(std::string_view& text, bool (*wanted)(char)) {
    std::size_t length = 0;
    while (length < text.size() && wanted(text[length])) ++length;
    const std::string_view taken = text.substr(0, length);
    text.remove_prefix(length);
    return taken;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<int> take_digits(std::string_view& text, std::size_t count) {
    if (text.size() < count) return std::nullopt;
    int value = 0;
    for (char c : text.substr(0, count)) {
        if (!is_digit(c)) return std::nullopt;
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(count);
    return value;
}

// "2026-11-22".
std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
    const auto year = take_digits(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_digits(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = take_digits(text, 2);
    if (!day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date);
}

// ".5" is 500 ms; digits past the third are cut off. Nothing there is zero.
std::optional<Duration> take_fraction(std::string_view& text) {
    if (!take(text, '.')) return Duration{0};
    const std::string_view digits = take_while(text, is_digit);
    if (digits.empty()) return std::nullopt;
    int millis = 0;
    for (std::size_t i = 0; i < 3; ++i) millis = millis * 10 + (i < digits.size() ? digits[i] - '0' : 0);
    return Duration{millis};
}

// "10:00:00.5". A leap second (60) counts as the next minute's first.
std::optional<Duration> take_time_of_day(std::string_view& text) {
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
    const auto second = take_digits(text, 2);
    if (!second || *second > 60) return std::nullopt;
    const auto fraction = take_fraction(text);
    if (!fraction) return std::nullopt;
    return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second) + *fraction;
}

// "Z" or "+08:00".
std::optional<Duration> take_offset(std::string_view& text) {
    if (take(text, 'Z') || take(text, 'z')) return Duration{0};
    const bool behind = text.starts_with('-');
    if (!take(text, '+') && !take(text, '-')) return std::nullopt;
    const auto hours = take_digits(text, 2);
    if (!hours || *hours > 23 || !take(text, ':')) return std::nullopt;
    const auto minutes = take_digits(text, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    const Duration offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
    return behind ? -offset : offset;
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
    const auto date = take_date(text);
    if (!date) return std::nullopt;
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
    const auto time = take_time_of_day(text);
    if (!time) return std::nullopt;
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;
    return Timestamp(*date) + *time - *offset;
}

// Seconds with a fraction, read as decimals: a double would lose milliseconds' exactness only past 2^43 s, but its
// rounding would show in 1.001.
std::optional<Timestamp> parse_seconds(std::string_view text) {
    const auto seconds = parse_number(text);
    // The range that Prometheus calls minTime..maxTime is wider than any clock; what int64 milliseconds hold is enough.
    constexpr double kLimit = 9.2e15;
    if (!seconds || !(*seconds > -kLimit && *seconds < kLimit)) return std::nullopt;
    const double millis = *seconds * 1000;
    return from_millis(static_cast<std::int64_t>(millis < 0 ? millis - 0.5 : millis + 0.5));
}

Error bad_duration(std::string_view text) {
    return {Errc::InvalidArgument,
            fmt::format("'{}' is not a duration: write a number with a unit, such as 250ms, 15s, 1m30s or 2h", text)};
}

}  // namespace

Timestamp now() {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::int64_t now_nanos() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
}

Result<Duration> parse_duration(std::string_view text) {
    if (text == "0") return Duration{0};
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    std::string_view rest = text;
    std::int64_t total = 0;
    std::size_t next_unit = 0;  // Units come largest first, each at most once.
    while (!rest.empty()) {
        const auto count = parse_integer(take_while(rest, is_digit));
        const std::string_view name = take_while(rest, [](char c) { return c >= 'a' && c <= 'z'; });
        if (!count) return bad_duration(text);
        while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
        if (next_unit == kUnits.size()) return bad_duration(text);
        const std::int64_t unit = kUnits[next_unit++].millis;
        if (*count > (kMax - total) / unit) {
            return Error{Errc::InvalidArgument, fmt::format("the duration '{}' is too long", text)};
        }
        total += *count * unit;
    }
    if (text.empty()) return bad_duration(text);
    return Duration{total};
}

std::string format_duration(Duration duration) {
    if (duration.count() == 0) return "0s";
    // Unsigned, for the smallest value has no positive counterpart.
    const bool negative = duration.count() < 0;
    auto rest = static_cast<std::uint64_t>(duration.count());
    if (negative) rest = 0 - rest;
    std::string out = negative ? "-" : "";
    for (const DurationUnit& unit : kUnits) {
        const auto millis = static_cast<std::uint64_t>(unit.millis);
        // Years and weeks only when they say it all, as Prometheus does: 8 days are "8d", not "1w1d".
        const bool only_exact = unit.name == "y" || unit.name == "w";
        if (rest < millis || (only_exact && rest % millis != 0)) continue;
        out += fmt::format("{}{}", rest / millis, unit.name);
        rest %= millis;
    }
    return out;
}

Result<Timestamp> parse_timestamp(std::string_view text) {
    if (const auto time = parse_rfc3339(text)) return *time;
    if (const auto time = parse_seconds(text)) return *time;
    return Error{Errc::InvalidArgument,
                 fmt::format("'{}' is not a time: write 2026-11-22T10:00:00Z or seconds since 1970", text)};
}

std::string format_timestamp(Timestamp time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss<Duration> clock{time - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

}  // namespace stoker
