// Searches over stored lines of log, newest first, a page at a time.
//
// Each runs on a connection of TelemetryStore::read(), which bounds its time. What was accepted and not loaded yet is
// not found: it is never waited for. Not thread-safe by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "records/duck.h"
#include "records/telemetry.h"

namespace stoker::records {

// A line's place in the order of a search: an older one has a smaller place.
struct LogPlace {
    std::int64_t time_ns = 0;
    std::int64_t row = 0;
    friend auto operator<=>(const LogPlace&, const LogPlace&) = default;
};

// "1700000000000000000-17". Errors: InvalidArgument.
Result<LogPlace> parse_log_place(const std::string& text);
std::string to_string(const LogPlace& place);

// Empty fields select everything.
struct LogFilter {
    std::int64_t from_ns = 0;        // Inclusive.
    std::int64_t to_ns = INT64_MAX;  // Exclusive.
    std::string service{};
    std::string not_service{};
    std::int64_t min_severity = 0;  // OpenTelemetry's number.
    std::string trace_id{};
    std::string span_id{};
    std::string signature{};  // "any": whichever.
    std::string source{};
    std::string stream{};
    std::vector<std::string> text{};      // All of these are in the body or an attribute, in any case.
    std::vector<std::string> not_text{};  // None of these is.
    // Attributes of the line or of what wrote it: equal, or not.
    std::vector<std::pair<std::string, std::string>> attributes{};
    std::vector<std::pair<std::string, std::string>> not_attributes{};
    bool oldest_first = false;
    std::size_t limit = 100;
    // Only what is older than that; with oldest_first, newer.
    std::string place{};
    // A search that takes longer ends with what it has; LogPage::next leads on. Empty: it goes on to the end.
    std::optional<Duration> budget{};
};

struct FoundLog {
    LogPlace place;
    LogRow row;
};

struct LogPage {
    std::vector<FoundLog> logs;
    // The place to go on from, if there is or may be more.
    std::optional<LogPlace> next{};
};

// Errors: InvalidArgument (the place).
Result<LogPage> find_logs(duck::Connection& connection, const LogFilter& filter);

struct LogCount {
    std::string name;
    std::int64_t lines = 0;
};
// Of services with lines since `from_ns`, the most frequent 1000 in order of name.
Result<std::vector<LogCount>> log_services(duck::Connection& connection, std::int64_t from_ns);

// Whether a line that comes in is one that the filter asks for; place and limit aside.
bool matches(const LogFilter& filter, const LogRow& row);

// One line as the API shows it, without a line end; times as texts, for they are past what JavaScript counts to.
std::string to_json(const LogRow& row, const std::string& place = {});

}  // namespace stoker::records
