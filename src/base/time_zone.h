// What the clock on the wall says elsewhere: time zones by their IANA name, as the system's zoneinfo knows them.
//
// Only the rule that holds now and from now on is read (the POSIX TZ text at the end of a zoneinfo file, RFC 9636 3.3),
// so the past before a zone's last change of law is not told right. An immutable value; thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace stoker {

class TimeZone {
public:
    TimeZone() = default;  // UTC

    // "UTC", "Europe/Berlin". Errors: NotFound (no such zone on this machine), Corruption (its file makes no sense).
    static Result<TimeZone> find(const std::string& name);
    // "CET-1CEST,M3.5.0,M10.5.0/3", as in POSIX' TZ. Errors: InvalidArgument.
    static Result<TimeZone> from_rule(std::string_view rule);

    // What is to be added to UTC.
    std::chrono::seconds offset_at(Timestamp time) const;
    // The same moment, as the wall clock there says it.
    std::chrono::local_time<Duration> local(Timestamp time) const;

private:
    // The day within a year on which the clock is turned, and the time of that day.
    struct Turn {
        enum class Kind : unsigned char { Weekday, JulianDay, DayOfYear } kind = Kind::Weekday;
        unsigned month = 1;
        unsigned week = 1;  // 5: the last.
        unsigned weekday = 0;
        unsigned day = 0;  // Of the year: from 1 without 29 February (JulianDay), from 0 with it (DayOfYear).
        std::chrono::seconds at{7200};

        std::chrono::sys_seconds in(std::chrono::year year) const;  // As if the wall clock were UTC.
    };
    struct Summer {
        std::chrono::seconds offset{0};
        Turn begin;
        Turn end;
    };
    class Reader;

    std::chrono::seconds offset_{0};
    std::optional<Summer> summer_;
};

}  // namespace stoker
