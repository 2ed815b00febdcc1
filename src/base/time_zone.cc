#include "base/time_zone.h"

#include <algorithm>
#include <cctype>

#include "base/file.h"

namespace stoker {

using std::chrono::seconds;

std::chrono::sys_seconds TimeZone::Turn::in(std::chrono::year year) const {
    using namespace std::chrono;
    sys_days date{};
    switch (kind) {
        case Kind::Weekday: {
            const std::chrono::weekday on{weekday};
            const std::chrono::month of{month};
            date = week == 5 ? sys_days{year / of / on[last]} : sys_days{year / of / on[week]};
            break;
        }
        case Kind::JulianDay:  // 29 February is not counted.
            date = sys_days{year / January / 1} + days{day - 1} + days{year.is_leap() && day >= 60 ? 1 : 0};
            break;
        case Kind::DayOfYear:
            date = sys_days{year / January / 1} + days{day};
            break;
    }
    return date + at;
}

// A cursor over a POSIX TZ text. After a failure every call returns a default and good() is false.
class TimeZone::Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::optional<TimeZone> read() {
        TimeZone zone;
        name();
        zone.offset_ = -time(24);
        if (!good_ || text_.empty()) return good_ ? std::optional(zone) : std::nullopt;
        Summer summer;
        name();
        summer.offset = zone.offset_ + std::chrono::hours{1};
        if (!text_.empty() && text_.front() != ',') summer.offset = -time(24);
        take(',');
        summer.begin = turn();
        take(',');
        summer.end = turn();
        if (!good_ || !text_.empty()) return std::nullopt;
        zone.summer_ = summer;
        return zone;
    }

private:
    bool next_is(char c) const { return !text_.empty() && text_.front() == c; }
    bool accept(char c) {
        if (!next_is(c)) return false;
        text_.remove_prefix(1);
        return true;
    }
    void take(char c) { good_ = accept(c) && good_; }

    // "CET" or "<+0330>".
    void name() {
        const bool quoted = accept('<');
        std::size_t length = 0;
        while (length < text_.size() && (quoted ? text_[length] != '>' : std::isalpha(byte(length)) != 0)) ++length;
        good_ = good_ && length >= 3;
        text_.remove_prefix(length);
        if (quoted) take('>');
    }

    unsigned number(unsigned most) {
        unsigned value = 0;
        std::size_t length = 0;
        while (length < text_.size() && length < 3 && std::isdigit(byte(length)) != 0) {
            value = value * 10 + static_cast<unsigned>(text_[length++] - '0');
        }
        good_ = good_ && length > 0 && value <= most;
        text_.remove_prefix(length);
        return value;
    }

    // "[+-]hh[:mm[:ss]]"
    seconds time(unsigned most_hours) {
        const bool negative = accept('-');
        if (!negative) (void)accept('+');
        seconds value = std::chrono::hours{number(most_hours)};
        if (accept(':')) value += std::chrono::minutes{number(59)};
        if (accept(':')) value += seconds{number(59)};
        return negative ? -value : value;
    }

    Turn turn() {
        Turn turn;
        if (accept('M')) {
            turn.month = std::max(number(12), 1U);
            take('.');
            turn.week = std::max(number(5), 1U);
            take('.');
            turn.weekday = number(6);
        } else if (accept('J')) {
            turn.kind = Turn::Kind::JulianDay;
            turn.day = std::max(number(365), 1U);
        } else {
            turn.kind = Turn::Kind::DayOfYear;
            turn.day = number(365);
        }
        if (accept('/')) turn.at = time(167);
        return turn;
    }

    unsigned char byte(std::size_t at) const { return static_cast<unsigned char>(text_[at]); }

    std::string_view text_;
    bool good_ = true;
};

Result<TimeZone> TimeZone::from_rule(std::string_view rule) {
    auto zone = Reader(rule).read();
    if (!zone) return Error{Errc::InvalidArgument, "'" + std::string(rule) + "' is no rule of a time zone"};
    return *std::move(zone);
}

Result<TimeZone> TimeZone::find(const std::string& name) {
    if (name == "UTC") return TimeZone();
    const bool plain = !name.empty() && name.size() < 64 && name.front() != '/' && name.find("..") == std::string::npos;
    const auto bytes = plain ? read_file("/usr/share/zoneinfo/" + name) : Result<std::string>();
    if (!bytes || bytes->substr(0, 4) != "TZif") {
        return Error{Errc::NotFound, "there is no time zone '" + name + "' on this machine"};
    }
    // The rule is the last line; a zone that never changes again has one too.
    std::string_view text = *bytes;
    if (text.back() == '\n') text.remove_suffix(1);
    const auto line = text.rfind('\n');
    auto zone = line == std::string_view::npos ? Result<TimeZone>() : from_rule(text.substr(line + 1));
    if (!zone) return Error{Errc::Corruption, "the time zone '" + name + "' has no rule for today"};
    return zone;
}

seconds TimeZone::offset_at(Timestamp time) const {
    if (!summer_) return offset_;
    const auto day = std::chrono::floor<std::chrono::days>(time + offset_);
    const std::chrono::year year = std::chrono::year_month_day{day}.year();
    const auto begin = summer_->begin.in(year)-offset_;
    const auto end = summer_->end.in(year)-summer_->offset;
    // South of the equator summer goes over the turn of the year.
    const bool is_summer = begin < end ? time >= begin && time < end : time >= begin || time < end;
    return is_summer ? summer_->offset : offset_;
}

std::chrono::local_time<Duration> TimeZone::local(Timestamp time) const {
    return std::chrono::local_time<Duration>{time.time_since_epoch() + offset_at(time)};
}

}  // namespace stoker
