#include "api/trace_params.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace stoker::api {
namespace {

constexpr std::int64_t kMostTraces = 1500;  // Jaeger's own most.
constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr std::int64_t kNanosPerMicro = 1'000;
constexpr Duration kLastHour{3'600'000};

Error wrong(std::string_view name, std::string_view value, std::string_view what) {
    return {Errc::InvalidArgument, "parameter " + std::string(name) + ": \"" + std::string(value.substr(0, 100)) +
                                       "\" is not " + std::string(what)};
}

Result<std::int64_t> duration_param(const ApiRequest& request, std::string_view name) {
    const auto text = request.param(name);
    if (!text) return std::int64_t{0};
    const auto duration = parse_duration(*text);
    if (!duration) return wrong(name, *text, "a duration like 1s or 250ms");
    return duration->count() * kNanosPerMilli;
}

// Go's: "1.2s", "100ms", "1.5us", "1h30m".
Result<std::int64_t> go_duration_param(const ApiRequest& request, std::string_view name) {
    const auto text = request.param(name);
    if (!text) return std::int64_t{0};
    struct Unit {
        std::string_view name;
        double nanos;
    };
    constexpr Unit kUnits[] = {{"ns", 1},   {"us", 1e3}, {"\u00b5s", 1e3}, {"\u03bcs", 1e3},
                               {"ms", 1e6}, {"s", 1e9},  {"m", 6e10},      {"h", 3.6e12}};
    std::string_view left = *text;
    double nanos = 0;
    while (!left.empty()) {
        const std::size_t digits = std::min(left.find_first_not_of("0123456789."), left.size());
        const auto number = parse_number(left.substr(0, digits));
        left.remove_prefix(digits);
        const std::size_t letters = std::min(left.find_first_of("0123456789."), left.size());
        const std::string_view unit_name = left.substr(0, letters);
        left.remove_prefix(letters);
        const Unit* unit = nullptr;
        for (const Unit& one : kUnits) {
            if (one.name == unit_name) unit = &one;
        }
        if (!number || unit == nullptr) return wrong(name, *text, "a duration like 1.2s or 100ms");
        nanos += *number * unit->nanos;
    }
    constexpr double kMost = 9e18;
    return nanos < kMost ? static_cast<std::int64_t>(nanos) : INT64_MAX;
}

Result<std::int64_t> micros_param(const ApiRequest& request, std::string_view name) {
    const auto text = request.param(name);
    if (!text) return std::int64_t{0};
    const auto micros = parse_integer(*text);
    if (!micros || *micros < 0 || *micros > INT64_MAX / kNanosPerMicro) {
        return wrong(name, *text, "a time in microseconds since 1970");
    }
    return *micros * kNanosPerMicro;
}

// {"KEY":"VALUE"}, and what older clients send: KEY:VALUE in parameters `tag`.
Result<Unit> add_jaeger_tags(const ApiRequest& request, records::TraceFilter& filter) {
    for (const auto& [name, value] : request.params) {
        if (name == "tag") {
            const std::size_t colon = value.find(':');
            if (colon == std::string::npos) return wrong(name, value, "KEY:VALUE");
            filter.tags.emplace_back(value.substr(0, colon), value.substr(colon + 1));
        }
        if (name != "tags" || value.empty()) continue;
        const auto tags = nlohmann::json::parse(value, nullptr, false);
        if (!tags.is_object()) return wrong(name, value, R"(JSON like {"http.status_code":"500"})");
        for (const auto& [key, tag] : tags.items()) {
            filter.tags.emplace_back(key, tag.is_string() ? tag.get<std::string>() : tag.dump());
        }
    }
    return Unit{};
}

}  // namespace

Result<std::int64_t> time_param(const ApiRequest& request, std::string_view name) {
    const auto text = request.param(name);
    if (!text) return std::int64_t{0};
    const auto time = parse_timestamp(*text);
    if (!time) return wrong(name, *text, "a time like 2026-11-22T10:00:00Z or seconds since 1970");
    return to_millis(*time) * kNanosPerMilli;
}

Result<std::string> trace_id_of(std::string_view text) {
    constexpr std::size_t kDigits = 32;
    if (text.empty() || text.size() > kDigits ||
        text.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
        return Error{Errc::InvalidArgument,
                     "\"" + std::string(text.substr(0, 100)) + "\" is no trace id: up to 32 hex digits are"};
    }
    return std::string(kDigits - text.size(), '0') + to_lower(text);
}

Result<records::TraceFilter> trace_filter(const ApiRequest& request, Timestamp now) {
    records::TraceFilter filter;
    filter.from_ns = to_millis(now - kLastHour) * kNanosPerMilli;
    if (const auto last = request.param("last")) {
        const auto duration = parse_duration(*last);
        if (!duration) return wrong("last", *last, "a duration like 1h");
        filter.from_ns = to_millis(now - *duration) * kNanosPerMilli;
    }
    TRY(const std::int64_t from, time_param(request, "from"));
    if (from > 0) filter.from_ns = from;
    TRY(filter.to_ns, time_param(request, "to"));
    filter.service = request.param("service").value_or("");
    filter.name = request.param("name").value_or("");
    filter.model = request.param("model").value_or("");
    filter.text = request.param("q").value_or("");
    for (const auto& [name, value] : request.params) {
        if (name != "tag" || value.empty()) continue;
        const std::size_t equals = value.find('=');
        if (equals == std::string::npos) return wrong(name, value, "KEY=VALUE");
        filter.tags.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    }
    TRY(filter.min_duration_ns, duration_param(request, "min_duration"));
    TRY(filter.max_duration_ns, duration_param(request, "max_duration"));
    if (const auto errors = request.param("errors")) {
        if (*errors != "true" && *errors != "false") return wrong("errors", *errors, "true or false");
        filter.errors = *errors == "true";
    }
    TRY(const std::int64_t limit, request.number("limit", 50, kMostTraces));
    filter.limit = static_cast<std::size_t>(limit);
    return filter;
}

Result<records::TraceFilter> jaeger_filter(const ApiRequest& request, Timestamp now) {
    records::TraceFilter filter;
    TRY(filter.from_ns, micros_param(request, "start"));
    TRY(filter.to_ns, micros_param(request, "end"));
    if (filter.from_ns == 0) {
        TRY(std::int64_t lookback, go_duration_param(request, "lookback"));
        if (lookback == 0) lookback = kLastHour.count() * kNanosPerMilli;
        const std::int64_t end = filter.to_ns > 0 ? filter.to_ns : to_millis(now) * kNanosPerMilli;
        filter.from_ns = std::max<std::int64_t>(1, end - lookback);
    }
    filter.service = request.param("service").value_or("");
    filter.name = request.param("operation").value_or("");
    if (filter.name == "all") filter.name.clear();
    TRY_UNIT(add_jaeger_tags(request, filter));
    TRY(filter.min_duration_ns, go_duration_param(request, "minDuration"));
    TRY(filter.max_duration_ns, go_duration_param(request, "maxDuration"));
    TRY(const std::int64_t limit, request.number("limit", 20, kMostTraces));
    filter.limit = static_cast<std::size_t>(limit);
    return filter;
}

}  // namespace stoker::api
