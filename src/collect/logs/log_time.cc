#include "collect/logs/log_time.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>

#include "base/text.h"

namespace stoker::collect {
namespace {

constexpr std::int64_t kNanos = 1'000'000'000;

// Reads digits from the front of a text.
class Digits {
public:
    explicit Digits(std::string_view text) : text_(text) {}

    std::optional<int> number(std::size_t digits) {
        if (at_ + digits > text_.size()) return std::nullopt;
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i, ++at_) {
            const char c = text_[at_];
            if (c < '0' || c > '9') return std::nullopt;
            value = value * 10 + (c - '0');
        }
        return value;
    }
    bool one_of(std::string_view allowed) {
        if (at_ >= text_.size() || allowed.find(text_[at_]) == std::string_view::npos) return false;
        ++at_;
        return true;
    }
    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    void skip() { ++at_; }
    std::size_t at() const { return at_; }
    void back_to(std::size_t at) { at_ = at; }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

// Nanoseconds of ".123456789"; digits past the ninth are dropped.
std::int64_t fraction(Digits& digits) {
    std::int64_t nanos = 0;
    std::int64_t unit = kNanos;
    while (digits.peek() >= '0' && digits.peek() <= '9') {
        unit /= 10;
        nanos += unit * (digits.peek() - '0');
        digits.skip();
    }
    return nanos;
}

// Seconds east of UTC: Z, +02:00, -0530; nothing if there is no offset, and then nothing is taken.
std::optional<std::int64_t> offset(Digits& digits) {
    const std::size_t begin = digits.at();
    if (digits.peek() == 'Z' || digits.peek() == 'z') {
        digits.skip();
        return 0;
    }
    if (digits.peek() == ' ' && (digits.peek(1) == '+' || digits.peek(1) == '-')) digits.skip();
    const char sign = digits.peek();
    if (sign == '+' || sign == '-') {
        digits.skip();
        const auto hours = digits.number(2);
        (void)digits.one_of(":");
        const auto minutes = digits.number(2);
        if (hours && minutes && *hours <= 23 && *minutes <= 59) {
            const std::int64_t seconds = *hours * 3600LL + *minutes * 60LL;
            return sign == '-' ? -seconds : seconds;
        }
    }
    digits.back_to(begin);
    return std::nullopt;
}

// What the local clock is ahead of UTC at that local time. Asking the system costs a system call, so the answer for
// the last hour asked is kept.
std::int64_t local_offset(std::int64_t local_seconds) {
    thread_local std::int64_t hour = -1;
    thread_local std::int64_t ahead = 0;
    if (local_seconds / 3600 == hour) return ahead;
    std::time_t time = local_seconds;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    parts.tm_isdst = -1;
    const std::time_t utc = std::mktime(&parts);
    hour = local_seconds / 3600;
    ahead = local_seconds - static_cast<std::int64_t>(utc);
    return ahead;
}

}  // namespace

std::optional<FoundTime> time_at_front(std::string_view text) {
    Digits digits(text);
    const auto year = digits.number(4);
    if (!year || *year < 1970 || *year > 2261 || !digits.one_of("-/")) return std::nullopt;  // 2262 is past 64 bits.
    const auto month = digits.number(2);
    if (!month || !digits.one_of("-/")) return std::nullopt;
    const auto day = digits.number(2);
    if (!day || !digits.one_of("T t-")) return std::nullopt;
    const auto hour = digits.number(2);
    if (!hour || !digits.one_of(":")) return std::nullopt;
    const auto minute = digits.number(2);
    if (!minute || !digits.one_of(":")) return std::nullopt;
    const auto second = digits.number(2);
    if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    std::int64_t nanos = 0;
    if ((digits.peek() == '.' || digits.peek() == ',') && digits.peek(1) >= '0' && digits.peek(1) <= '9') {
        digits.skip();
        nanos = fraction(digits);
    }
    const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
    const std::int64_t local = days * 86'400 + *hour * 3600LL + *minute * 60LL + *second;
    const auto east = offset(digits);
    return FoundTime{(local - (east ? *east : local_offset(local))) * kNanos + nanos, digits.at()};
}

std::optional<std::int64_t> time_of_number(double number) {
    // From 2001 to 2286 seconds have ten digits, and the finer units three more each.
    if (!(number >= 1e9) || number >= 1e19) return std::nullopt;
    if (number < 1e10) return static_cast<std::int64_t>(std::llround(number * 1e6)) * 1000;
    if (number < 1e13) return static_cast<std::int64_t>(std::llround(number * 1e3)) * 1000;
    if (number < 1e16) return static_cast<std::int64_t>(number) * 1000;
    if (number < 9.2e18) return static_cast<std::int64_t>(number);
    return std::nullopt;
}

std::optional<std::int64_t> parse_log_time(std::string_view text) {
    text = trim(text);
    if (const auto found = time_at_front(text); found && found->length == text.size()) return found->nanos;
    if (const auto whole = parse_integer(text); whole && *whole >= 10'000'000'000'000'000) return *whole;
    if (const auto number = parse_number(text)) return time_of_number(*number);
    return std::nullopt;
}

}  // namespace stoker::collect
