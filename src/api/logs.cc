// Search over lines of log, and the part of Loki's API that asks for lines by labels.
#include <fmt/format.h>

#include <algorithm>

#include "api/handlers.h"
#include "base/text.h"
#include "records/log_query.h"
#include "wire/loki.h"

namespace stoker::api {
namespace {

constexpr std::int64_t kMostLines = 5000;
constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr Duration kSearchLimit{10'000};
constexpr Duration kBudget{600};  // A click is answered within a second.
constexpr Duration kDefaultRange{3'600'000};

// Lowest number of each of OpenTelemetry's severities.
Result<std::int64_t> severity_number(const std::string& text) {
    constexpr std::string_view kNames[] = {"trace", "debug", "info", "warn", "error", "fatal"};
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
        if (equals_ignore_case(text, kNames[i])) return static_cast<std::int64_t>(i) * 4 + 1;
    }
    return Error{Errc::InvalidArgument,
                 "parameter severity: \"" + text + "\" is not trace, debug, info, warn, error or fatal"};
}

std::int64_t nanos_of(Timestamp time) {
    return to_millis(time) * kNanosPerMilli;
}

Result<Unit> set_range(const ApiRequest& request, Timestamp now, records::LogFilter& filter) {
    // A trace may be of any time, and whoever asks by its id wants all of it.
    if (filter.trace_id.empty()) filter.from_ns = nanos_of(now - kDefaultRange);
    if (auto last = request.param("last")) {
        auto duration = parse_duration(*last);
        if (!duration) return std::move(duration).error().context("parameter last");
        filter.from_ns = nanos_of(now - *duration);
    }
    if (auto from = request.param("from")) {
        auto time = parse_timestamp(*from);
        if (!time) return std::move(time).error().context("parameter from");
        filter.from_ns = nanos_of(*time);
    }
    if (auto to = request.param("to")) {
        auto time = parse_timestamp(*to);
        if (!time) return std::move(time).error().context("parameter to");
        filter.to_ns = nanos_of(*time);
    }
    return Unit{};
}

Error no_store() {
    return {Errc::Unavailable, "logs are not kept"};
}

Result<records::LogPage> find(const Services& services, const records::LogFilter& filter) {
    if (services.telemetry == nullptr) return no_store();
    records::LogPage page;
    TRY_UNIT(services.telemetry->read(kSearchLimit, [&](records::duck::Connection& connection) -> Result<Unit> {
        TRY(page, records::find_logs(connection, filter));
        return Unit{};
    }));
    return page;
}

net::Response search(Services& services, const ApiRequest& request) {
    auto filter = log_filter(request, services.now());
    if (!filter) return error_response(filter.error());
    filter->budget = kBudget;
    auto page = find(services, *filter);
    if (!page) return error_response(page.error());
    std::string body = "{\"logs\":[";
    for (const auto& log : page->logs) {
        if (body.back() != '[') body += ',';
        body += records::to_json(log.row, records::to_string(log.place));
    }
    body += "],\"next\":\"" + (page->next ? records::to_string(*page->next) : "") + "\"}";
    return json_response(std::move(body));
}

net::Response service_names(Services& services, const ApiRequest& request) {
    auto filter = log_filter(request, services.now());
    if (!filter) return error_response(filter.error());
    if (services.telemetry == nullptr) return error_response(no_store());
    std::vector<records::LogCount> counts;
    auto read = services.telemetry->read(kSearchLimit, [&](records::duck::Connection& connection) -> Result<Unit> {
        TRY(counts, records::log_services(connection, filter->from_ns));
        return Unit{};
    });
    if (!read) return error_response(read.error());
    std::string body = "{\"services\":[";
    for (const auto& one : counts) {
        if (body.back() != '[') body += ',';
        body += "{\"name\":" + quote_json(one.name) + ",\"lines\":" + std::to_string(one.lines) + "}";
    }
    return json_response(body + "]}");
}

// What Loki's clients call a stream's labels, as our fields; other names are attributes.
Result<Unit> apply(const wire::loki::Query::Matcher& matcher, records::LogFilter& filter) {
    const auto is = [&matcher](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), matcher.name) != names.end();
    };
    if (is({"service", "service_name", "app", "job", "container"})) {
        (matcher.equal ? filter.service : filter.not_service) = matcher.value;
        return Unit{};
    }
    if (matcher.equal && is({"level", "severity", "detected_level"})) {
        TRY(filter.min_severity, severity_number(matcher.value));
        return Unit{};
    }
    if (matcher.equal && is({"source"})) {
        filter.source = matcher.value;
    } else if (matcher.equal && is({"stream", "filename"})) {
        filter.stream = matcher.value;
    } else if (matcher.equal && is({"signature"})) {
        filter.signature = matcher.value;
    } else if (matcher.equal && is({"trace_id"})) {
        filter.trace_id = matcher.value;
    } else {
        (matcher.equal ? filter.attributes : filter.not_attributes).emplace_back(matcher.name, matcher.value);
    }
    return Unit{};
}

// Nanoseconds, seconds with a fraction, or RFC 3339.
Result<std::int64_t> loki_time(const std::string& name, const std::string& text) {
    constexpr std::int64_t kSmallestNanos = 100'000'000'000'000'000;  // 1973; as seconds it would be past any year.
    if (const auto whole = parse_integer(text); whole && *whole >= kSmallestNanos) return *whole;
    auto time = parse_timestamp(text);
    if (!time) return std::move(time).error().context("parameter " + name);
    return nanos_of(*time);
}

Result<records::LogFilter> loki_filter(const ApiRequest& request, Timestamp now) {
    records::LogFilter filter;
    TRY(const wire::loki::Query query, wire::loki::parse_query(request.param("query").value_or("")));
    for (const auto& matcher : query.matchers) TRY_UNIT(apply(matcher, filter));
    filter.text = query.contains;
    filter.not_text = query.lacks;
    filter.to_ns = nanos_of(now);
    if (auto end = request.param("end")) {
        TRY(filter.to_ns, loki_time("end", *end));
    }
    filter.from_ns = filter.to_ns - nanos_of(Timestamp(kDefaultRange));
    if (auto start = request.param("start")) {
        TRY(filter.from_ns, loki_time("start", *start));
    }
    TRY(const std::int64_t limit, request.number("limit", 100, kMostLines));
    filter.limit = static_cast<std::size_t>(limit);
    filter.oldest_first = request.param("direction").value_or("backward") == "forward";
    return filter;
}

// Lines by stream, as {"stream": {labels}, "values": [[nanoseconds, line]]}.
net::Response loki_range(Services& services, const ApiRequest& request) {
    auto filter = loki_filter(request, services.now());
    if (!filter) return text_response(filter.error().message + "\n", 400);
    auto page = find(services, *filter);
    if (!page) return error_response(page.error());
    std::vector<std::pair<std::string, std::string>> streams;
    for (const auto& log : page->logs) {
        const std::string labels =
            fmt::format(R"({{"service_name":{},"source":{},"filename":{}}})", quote_json(log.row.service),
                        quote_json(log.row.source), quote_json(log.row.stream));
        auto found = std::find_if(streams.begin(), streams.end(), [&](const auto& one) { return one.first == labels; });
        if (found == streams.end()) found = streams.insert(streams.end(), {labels, ""});
        if (!found->second.empty()) found->second += ',';
        found->second += fmt::format(R"(["{}",{}])", log.row.time_ns, quote_json(log.row.body));
    }
    std::string body = R"({"status":"success","data":{"resultType":"streams","result":[)";
    for (const auto& [labels, values] : streams) {
        if (body.back() != '[') body += ',';
        body += "{\"stream\":" + labels + ",\"values\":[" + values + "]}";
    }
    return json_response(body + R"(],"stats":{}}})");
}

}  // namespace

Result<records::LogFilter> log_filter(const ApiRequest& request, Timestamp now) {
    records::LogFilter filter;
    filter.service = request.param("service").value_or("");
    filter.trace_id = to_lower(request.param("trace_id").value_or(""));
    filter.span_id = to_lower(request.param("span_id").value_or(""));
    filter.signature = request.param("signature").value_or("");
    filter.source = request.param("source").value_or("");
    filter.stream = request.param("stream").value_or("");
    if (auto text = request.param("q")) filter.text.push_back(*text);
    if (auto severity = request.param("severity")) {
        TRY(filter.min_severity, severity_number(*severity));
    }
    TRY_UNIT(set_range(request, now, filter));
    if (auto order = request.param("order")) {
        if (*order != "newest" && *order != "oldest") {
            return Error{Errc::InvalidArgument, "parameter order: \"" + *order + "\" is neither newest nor oldest"};
        }
        filter.oldest_first = *order == "oldest";
    }
    if (auto place = request.param("place")) {
        TRY_UNIT(records::parse_log_place(*place));
        filter.place = *place;
    }
    TRY(const std::int64_t limit, request.number("limit", 100, kMostLines));
    if (limit == 0) return Error{Errc::InvalidArgument, "parameter limit: must be at least 1"};
    filter.limit = static_cast<std::size_t>(limit);
    return filter;
}

std::vector<Route> log_routes(Services& services) {
    auto with = [&services](net::Response (*handler)(Services&, const ApiRequest&)) {
        return [&services, handler](const ApiRequest& request) { return handler(services, request); };
    };
    return {{"GET", "/api/v1/logs", Cost::Query, with(&search)},
            {"GET", "/api/v1/logs/services", Cost::Query, with(&service_names)},
            {"GET,POST", "/loki/api/v1/query_range", Cost::Query, with(&loki_range)}};
}

}  // namespace stoker::api
