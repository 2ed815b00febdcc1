// Request records and SQL over them.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "gateway/request_spans.h"

namespace stoker::api {
namespace {

constexpr std::int64_t kMostRows = 10'000;
constexpr std::int64_t kMostOffset = 10'000'000;
constexpr Duration kTextBudget{350};  // Then come the rows themselves: a click is answered within a second.

struct SortName {
    std::string_view name;
    records::SortBy by;
};
constexpr SortName kSorts[] = {{"time", records::SortBy::Time},
                               {"duration", records::SortBy::Duration},
                               {"ttft", records::SortBy::Ttft},
                               {"completion_tokens", records::SortBy::CompletionTokens}};

Result<Unit> set_sort(const std::string& text, records::RequestFilter& filter) {
    std::string_view name = text;
    filter.ascending = !name.starts_with('-');
    if (!filter.ascending) name.remove_prefix(1);
    for (const auto& sort : kSorts) {
        if (sort.name == name) {
            filter.sort = sort.by;
            return Unit{};
        }
    }
    return Error{Errc::InvalidArgument,
                 "parameter sort: \"" + text +
                     "\" is not time, duration, ttft or completion_tokens (- before it for descending)"};
}

// "200", or "5xx" for a class.
Result<Unit> set_status(const std::string& text, records::RequestFilter& filter) {
    bool digits = text.size() == 3 && text[0] >= '1' && text[0] <= '5';
    if (digits && text.substr(1) == "xx") {
        filter.status_from = (text[0] - '0') * 100;
        filter.status_to = *filter.status_from + 99;
        return Unit{};
    }
    if (!digits || text.find_first_not_of("0123456789") != std::string::npos) {
        return Error{Errc::InvalidArgument,
                     "parameter status: \"" + text + "\" is neither a status like 200 nor a class like 5xx"};
    }
    filter.status_from = filter.status_to = std::stoi(text);
    return Unit{};
}

Result<Unit> set_times(const ApiRequest& request, Timestamp now, records::RequestFilter& filter) {
    if (auto last = request.param("last")) {
        auto duration = parse_duration(*last);
        if (!duration) return std::move(duration).error().context("parameter last");
        filter.from = now - *duration;
    }
    if (auto from = request.param("from")) {
        auto time = parse_timestamp(*from);
        if (!time) return std::move(time).error().context("parameter from");
        filter.from = *time;
    }
    if (auto to = request.param("to")) {
        auto time = parse_timestamp(*to);
        if (!time) return std::move(time).error().context("parameter to");
        filter.to = *time;
    }
    return Unit{};
}

net::Response list(Services& services, const ApiRequest& request) {
    auto filter = request_filter(request, services.now());
    if (!filter) return error_response(filter.error());
    auto loaded = services.records.load(services.journal);
    if (!loaded) return error_response(loaded.error());
    filter->budget = kTextBudget;
    auto page = services.records.list(*filter);
    if (!page) return error_response(page.error());
    std::string body = "{\"requests\":[";
    for (const auto& record : page->requests) {
        if (body.back() != '[') body += ',';
        body += records::to_json(record);
    }
    body += "],\"total\":" + std::to_string(page->total);
    body += page->complete
                ? ",\"complete\":true}"
                : ",\"complete\":false,\"searched_from_ms\":" + std::to_string(to_millis(page->searched_from)) + "}";
    return json_response(std::move(body));
}

// The record that the path names, with all that the journal has of it by now.
Result<records::RequestRecord> find(Services& services, const ApiRequest& request) {
    TRY_UNIT(services.records.load(services.journal));
    return services.records.get(request.captures.front());
}

net::Response get(Services& services, const ApiRequest& request) {
    const auto record = find(services, request);
    return record ? json_response(records::to_json(*record)) : error_response(record.error());
}

// Spans in the shape in which they are exported, for viewers that take OTLP's JSON.
net::Response trace(Services& services, const ApiRequest& request) {
    const auto record = find(services, request);
    if (!record) return error_response(record.error());
    const wire::otlp::SpanSource source{{{"service.name", std::string("stoker")}}, "stoker.gateway", STOKER_VERSION};
    return json_response(wire::otlp::spans_json(source, gateway::spans_of(*record)));
}

net::Response sql(Services& services, const ApiRequest& request) {
    auto body = nlohmann::json::parse(request.body, nullptr, false);
    if (!body.is_object() || !body.contains("query") || !body["query"].is_string()) {
        return error_response(
            {Errc::InvalidArgument, "the body must be JSON: {\"query\": \"SELECT ...\", \"max_rows\": 1000}"});
    }
    records::SqlLimits limits;
    if (auto rows = body.find("max_rows"); rows != body.end()) {
        if (!rows->is_number_unsigned() || rows->get<std::uint64_t>() == 0 || rows->get<std::uint64_t>() > kMostRows) {
            return error_response(
                {Errc::InvalidArgument, "max_rows must be a whole number from 1 to " + std::to_string(kMostRows)});
        }
        limits.max_rows = rows->get<std::size_t>();
    }
    const nlohmann::json given = body.value("store", nlohmann::json("requests"));
    const std::string store = given.is_string() ? given.get<std::string>() : given.dump();
    if (store != "requests" && store != "telemetry") {
        return error_response({Errc::InvalidArgument, "store must be requests, or telemetry for spans and logs"});
    }
    if (store == "requests") {
        auto loaded = services.records.load(services.journal);
        if (!loaded) return error_response(loaded.error());
    }
    const std::string query = body["query"].get<std::string>();
    auto result = store == "requests" ? services.records.sql(query, limits) : services.telemetry->sql(query, limits);
    if (!result) return error_response(result.error());
    return json_response(records::to_json(*result));
}

}  // namespace

Result<records::RequestFilter> request_filter(const ApiRequest& request, Timestamp now) {
    records::RequestFilter filter;
    TRY_UNIT(set_times(request, now, filter));
    filter.model = request.param("model").value_or("");
    filter.pool = request.param("pool").value_or("");
    filter.replica = request.param("replica").value_or("");
    filter.tenant = request.param("tenant").value_or("");
    filter.key_id = request.param("key_id").value_or("");
    filter.outcome = request.param("outcome").value_or("");
    filter.id = request.param("id").value_or("");
    filter.rule = request.param("rule").value_or("");
    filter.split = request.param("split").value_or("");
    filter.arm = request.param("arm").value_or("");
    filter.shadow = request.param("shadow").value_or("");
    filter.text = request.param("q").value_or("");
    if (auto status = request.param("status")) TRY_UNIT(set_status(*status, filter));
    if (auto stream = request.param("stream")) {
        if (*stream != "true" && *stream != "false") {
            return Error{Errc::InvalidArgument, "parameter stream: \"" + *stream + "\" is neither true nor false"};
        }
        filter.stream = *stream == "true";
    }
    if (auto slow = request.param("min_duration")) {
        auto duration = parse_duration(*slow);
        if (!duration) return std::move(duration).error().context("parameter min_duration");
        filter.min_duration = *duration;
    }
    if (auto sort = request.param("sort")) TRY_UNIT(set_sort(*sort, filter));
    TRY(auto limit, request.number("limit", 100, kMostRows));
    TRY(auto offset, request.number("offset", 0, kMostOffset));
    filter.limit = static_cast<std::size_t>(limit);
    filter.offset = static_cast<std::size_t>(offset);
    return filter;
}

std::vector<Route> request_routes(Services& services) {
    auto with = [&services](net::Response (*handler)(Services&, const ApiRequest&)) {
        return [&services, handler](const ApiRequest& request) { return handler(services, request); };
    };
    return {{"GET", "/api/v1/requests", Cost::Work, with(&list)},
            {"GET", "/api/v1/requests/*", Cost::Work, with(&get)},
            {"GET", "/api/v1/requests/*/trace", Cost::Work, with(&trace)},
            {"POST", "/api/v1/sql", Cost::Work, with(&sql)}};
}

}  // namespace stoker::api
