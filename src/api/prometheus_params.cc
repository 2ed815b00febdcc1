#include "api/prometheus_params.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "promql/engine.h"
#include "promql/format.h"
#include "promql/lexer.h"

namespace stoker::api {

namespace {

// Wide enough for every sample, and far enough from the ends of 64 bits that sums with durations are safe.
constexpr std::int64_t kForever = std::int64_t{1} << 60;

std::optional<Timestamp> read_time(std::string_view text) {
    double seconds = 0;
    if (promql::read_number(text, seconds)) {
        const double millis = std::round(seconds * 1000);
        if (std::abs(millis) < static_cast<double>(kForever)) return from_millis(static_cast<std::int64_t>(millis));
    } else if (auto time = parse_timestamp(text)) {
        return *time;
    }
    return std::nullopt;
}

template <typename T>
std::optional<T> read_whole(std::string_view text, int base = 10) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

void append_utf8(std::string& out, std::uint32_t point) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
    if (point < 0x80) {
        out += static_cast<char>(point);
    } else if (point < 0x800) {
        out += static_cast<char>(0xc0 | (point >> 6));
        tail(0);
    } else if (point < 0x10000) {
        out += static_cast<char>(0xe0 | (point >> 12));
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xf0 | (point >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
}

// "U__" begins it, "__" stands for "_", "_2e_" for the character U+002E. What does not follow that is a name as it is.
std::string unescape_name(std::string_view text) {
    if (!text.starts_with("U__")) return std::string(text);
    std::string name;
    for (std::size_t i = 3; i < text.size(); ++i) {
        if (text[i] != '_') {
            name += text[i];
            continue;
        }
        const std::size_t close = text.find('_', i + 1);
        if (close == std::string_view::npos) return std::string(text);
        if (close == i + 1) {
            name += '_';
        } else {
            const auto point = read_whole<std::uint32_t>(text.substr(i + 1, close - i - 1), 16);
            const bool good = point && *point <= 0x10ffff && (*point < 0xd800 || *point > 0xdfff);
            if (!good) return std::string(text);
            append_utf8(name, *point);
        }
        i = close;
    }
    return name;
}

// Stops at the first byte that is no UTF-8: what append_json_string would have to replace.
bool is_utf8(std::string_view text) {
    std::string shown;
    promql::append_json_string(shown, text);
    return shown.find("\xef\xbf\xbd") == std::string::npos || text.find("\xef\xbf\xbd") != std::string_view::npos;
}

}  // namespace

Error bad_param(std::string_view name, const std::string& why) {
    return Error{Errc::InvalidArgument, "invalid parameter " + promql::quote(name) + ": " + why};
}

std::string_view prometheus_param(const ApiRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.params) {
        if (key == name) return value;
    }
    return {};
}

std::vector<std::string> prometheus_params(const ApiRequest& request, std::string_view name) {
    std::vector<std::string> values;
    for (const auto& [key, value] : request.params) {
        if (key == name) values.push_back(value);
    }
    return values;
}

Result<Timestamp> prometheus_time(const ApiRequest& request, std::string_view name, std::optional<Timestamp> fallback) {
    const std::string_view text = prometheus_param(request, name);
    if (text.empty() && fallback) return *fallback;
    if (const auto time = read_time(text)) return *time;
    const std::string why = "cannot parse " + promql::quote(text) + " to a valid timestamp";
    // Prometheus says it twice where the parameter may be left out.
    return bad_param(name, fallback ? "invalid time value for '" + std::string(name) + "': " + why : why);
}

Result<Duration> prometheus_duration(const ApiRequest& request, std::string_view name) {
    const std::string_view text = prometheus_param(request, name);
    double seconds = 0;
    std::int64_t millis = 0;
    if (promql::read_number(text, seconds)) {
        // The longest duration that 64 bits of nanoseconds hold.
        if (!(std::abs(seconds) < 9.2e9)) {
            return bad_param(name, "cannot parse " + promql::quote(text) + " to a valid duration. It overflows int64");
        }
        return Duration{static_cast<std::int64_t>(seconds * 1000)};
    }
    if (promql::read_duration(text, millis)) return Duration{millis};
    return bad_param(name, "cannot parse " + promql::quote(text) + " to a valid duration");
}

Result<std::size_t> prometheus_limit(const ApiRequest& request) {
    const std::string_view text = prometheus_param(request, "limit");
    if (text.empty()) return std::size_t{0};
    const auto limit = read_whole<std::int64_t>(text);
    if (!limit) return bad_param("limit", "cannot parse " + promql::quote(text) + " to a valid number");
    if (*limit < 0) return bad_param("limit", "limit must be non-negative");
    return static_cast<std::size_t>(*limit);
}

Result<std::optional<std::int64_t>> prometheus_number(const ApiRequest& request, std::string_view name) {
    const std::string_view text = prometheus_param(request, name);
    if (text.empty()) return std::optional<std::int64_t>();
    const auto number = read_whole<std::int64_t>(text);
    if (!number) return Error{Errc::InvalidArgument, std::string(name) + " must be a number"};
    return number;
}

Result<bool> prometheus_bool(const ApiRequest& request, std::string_view name) {
    static constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "true", "TRUE", "True"};
    static constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "false", "FALSE", "False"};
    const std::string_view text = prometheus_param(request, name);
    if (text.empty() || std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) return false;
    if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) return true;
    return bad_param(name,
                     "unable to parse boolean: strconv.ParseBool: parsing " + promql::quote(text) + ": invalid syntax");
}

Result<std::vector<std::vector<tsdb::Matcher>>> prometheus_matchers(const ApiRequest& request) {
    std::vector<std::vector<tsdb::Matcher>> all;
    for (const auto& [key, value] : request.params) {
        if (key != "match[]") continue;
        auto matchers = promql::parse_selector(value);
        if (!matchers) {
            const std::string& why = matchers.error().message;
            const bool empty = why.find("must contain at least one non-empty matcher") != std::string::npos;
            return bad_param("match[]", empty ? "match[] must contain at least one non-empty matcher" : why);
        }
        all.push_back(*std::move(matchers));
    }
    return all;
}

bool match_all(const std::vector<tsdb::CompiledMatcher>& matchers, const tsdb::Labels& labels) {
    return std::all_of(matchers.begin(), matchers.end(),
                       [&](const auto& matcher) { return matcher.matches(labels.get(matcher.name())); });
}

Result<TimeSpan> prometheus_span(const ApiRequest& request) {
    TRY(const Timestamp start, prometheus_time(request, "start", from_millis(-kForever)));
    TRY(const Timestamp end, prometheus_time(request, "end", from_millis(kForever)));
    return TimeSpan{to_millis(start), to_millis(end)};
}

Result<std::string> prometheus_label_name(std::string_view text) {
    std::string name = unescape_name(text);
    if (name.empty() || !is_utf8(name)) {
        return Error{Errc::InvalidArgument, "invalid label name: " + promql::quote(text)};
    }
    return name;
}

}  // namespace stoker::api
