// Jaeger's query API, as its own page and Grafana's Jaeger data source ask it (jaeger-query's HTTP JSON).
//
// Every answer is {"data":…,"total":N,"limit":0,"offset":0,"errors":null}; times and durations are microseconds.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/trace_params.h"
#include "records/trace_query.h"

namespace stoker::api {
namespace {

using nlohmann::json;
using records::SpanRow;
using records::duck::Connection;

constexpr std::size_t kMostSpans = 10'000;  // Of one trace.
constexpr Duration kLimit{10'000};
constexpr Duration kBudget{3'000};  // Jaeger's answer can't say that there may be more.
constexpr std::int64_t kNanosPerMicro = 1'000;
constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr Duration kListed{24LL * 3600 * 1000};  // Services and operations of so long are listed.

net::Response answer(json data) {
    const std::size_t total = data.is_array() ? data.size() : 0;
    const json body{{"data", std::move(data)}, {"total", total}, {"limit", 0}, {"offset", 0}, {"errors", nullptr}};
    return json_response(body.dump(-1, ' ', false, json::error_handler_t::replace));
}

net::Response failed(const Error& error) {
    const int status = net::status_of(error.code);
    const json body{{"data", nullptr},
                    {"total", 0},
                    {"limit", 0},
                    {"offset", 0},
                    {"errors", json::array({{{"code", status}, {"msg", error.message}}})}};
    return json_response(body.dump(-1, ' ', false, json::error_handler_t::replace), status);
}

json tag(const std::string& key, const json& value) {
    if (value.is_boolean()) return {{"key", key}, {"type", "bool"}, {"value", value}};
    if (value.is_number_integer()) return {{"key", key}, {"type", "int64"}, {"value", value}};
    if (value.is_number()) return {{"key", key}, {"type", "float64"}, {"value", value}};
    return {{"key", key}, {"type", "string"}, {"value", value.is_string() ? value : json(value.dump())}};
}

// Attributes that were stored as a JSON object.
json tags_of(const std::string& attributes) {
    json tags = json::array();
    const json object = json::parse(attributes, nullptr, false);
    if (!object.is_object()) return tags;
    for (const auto& [key, value] : object.items()) tags.push_back(tag(key, value));
    return tags;
}

json logs_of(const SpanRow& span) {
    json logs = json::array();
    const json events = json::parse(span.events, nullptr, false);
    if (!events.is_array()) return logs;
    for (const json& event : events) {
        json fields = tags_of(event.value("attributes", json::object()).dump());
        fields.push_back(tag("event", event.value("name", "")));
        logs.push_back(
            {{"timestamp", event.value("time_ns", std::int64_t{0}) / kNanosPerMicro}, {"fields", std::move(fields)}});
    }
    return logs;
}

json references_of(const SpanRow& span) {
    json references = json::array();
    if (!span.parent_span_id.empty()) {
        references.push_back({{"refType", "CHILD_OF"}, {"traceID", span.trace_id}, {"spanID", span.parent_span_id}});
    }
    const json links = json::parse(span.links, nullptr, false);
    if (!links.is_array()) return references;
    for (const json& link : links) {
        references.push_back({{"refType", "FOLLOWS_FROM"},
                              {"traceID", link.value("trace_id", "")},
                              {"spanID", link.value("span_id", "")}});
    }
    return references;
}

json span_json(const SpanRow& span, const std::string& process) {
    json tags = tags_of(span.attributes);
    tags.push_back(tag("span.kind", span.kind));
    if (!span.scope.empty()) tags.push_back(tag("otel.scope.name", span.scope));
    if (span.error) {
        tags.push_back(tag("error", true));
        tags.push_back(tag("otel.status_code", "ERROR"));
        if (!span.status_message.empty()) tags.push_back(tag("otel.status_description", span.status_message));
    }
    return {{"traceID", span.trace_id},
            {"spanID", span.span_id},
            {"operationName", span.name},
            {"references", references_of(span)},
            {"startTime", span.start_ns / kNanosPerMicro},
            {"duration", span.duration_ns / kNanosPerMicro},
            {"tags", std::move(tags)},
            {"logs", logs_of(span)},
            {"processID", process},
            {"warnings", nullptr}};
}

// REQUIRES: at least one span.
json trace_json(const std::vector<SpanRow>& spans) {
    json processes = json::object();
    std::map<std::pair<std::string, std::string>, std::string> names;  // By service and resource.
    json list = json::array();
    for (const SpanRow& span : spans) {
        auto [name, fresh] = names.try_emplace({span.service, span.resource}, "p" + std::to_string(names.size() + 1));
        if (fresh) processes[name->second] = {{"serviceName", span.service}, {"tags", tags_of(span.resource)}};
        list.push_back(span_json(span, name->second));
    }
    return {{"traceID", spans.front().trace_id},
            {"spans", std::move(list)},
            {"processes", std::move(processes)},
            {"warnings", nullptr}};
}

std::int64_t listed_since(Services& services) {
    return to_millis(services.now() - kListed) * kNanosPerMilli;
}

// Runs a query that fills `data`.
template <typename Query>
net::Response answer_from(Services& services, const Query& query) {
    json data = json::array();
    const auto done = services.telemetry->read(
        kLimit, [&](Connection& connection) -> Result<Unit> { return query(connection, data); });
    return done ? answer(std::move(data)) : failed(done.error());
}

net::Response list_services(Services& services, const ApiRequest&) {
    return answer_from(services, [&](Connection& connection, json& data) -> Result<Unit> {
        TRY(data, records::trace_services(connection, listed_since(services)));
        return Unit{};
    });
}

// The names alone.
net::Response list_operation_names(Services& services, const ApiRequest& request) {
    return answer_from(services, [&](Connection& connection, json& data) -> Result<Unit> {
        TRY(const auto operations,
            records::trace_operations(connection, request.captures.front(), "", listed_since(services)));
        for (const auto& operation : operations) {
            if (data.empty() || data.back() != operation.name) data.push_back(operation.name);
        }
        return Unit{};
    });
}

net::Response list_operations(Services& services, const ApiRequest& request) {
    const std::string service = request.param("service").value_or("");
    if (service.empty()) return failed({Errc::InvalidArgument, "parameter service is needed"});
    return answer_from(services, [&](Connection& connection, json& data) -> Result<Unit> {
        TRY(const auto operations,
            records::trace_operations(connection, service, request.param("spanKind").value_or(""),
                                      listed_since(services)));
        for (const auto& operation : operations) {
            data.push_back({{"name", operation.name}, {"spanKind", operation.kind}});
        }
        return Unit{};
    });
}

net::Response search(Services& services, const ApiRequest& request) {
    // Traces by their ids, as the page compares them.
    std::vector<std::pair<std::string, std::int64_t>> wanted;
    for (const auto& [name, value] : request.params) {
        if (name != "traceID") continue;
        const auto id = trace_id_of(value);
        if (!id) return failed(id.error());
        wanted.emplace_back(*id, 0);
    }
    auto filter = jaeger_filter(request, services.now());
    if (!filter) return failed(filter.error());
    filter->budget = kBudget;
    if (wanted.empty() && filter->service.empty()) {
        return failed({Errc::InvalidArgument, "parameter service is needed"});
    }
    return answer_from(services, [&](Connection& connection, json& data) -> Result<Unit> {
        if (wanted.empty()) {
            TRY(const auto list, records::find_traces(connection, *filter));
            for (const auto& trace : list.traces) wanted.emplace_back(trace.trace_id, trace.start_ns);
        }
        for (const auto& [id, near] : wanted) {
            const auto spans = records::get_trace(connection, id, near, kMostSpans);
            if (!spans && spans.error().code == Errc::NotFound) continue;
            if (!spans) return spans.error();
            data.push_back(trace_json(*spans));
        }
        return Unit{};
    });
}

net::Response get(Services& services, const ApiRequest& request) {
    const auto id = trace_id_of(request.captures.front());
    if (!id) return failed(id.error());
    return answer_from(services, [&](Connection& connection, json& data) -> Result<Unit> {
        TRY(const auto spans, records::get_trace(connection, *id, 0, kMostSpans));
        data.push_back(trace_json(spans));
        return Unit{};
    });
}

net::Response dependencies(Services& services, const ApiRequest& request) {
    constexpr std::int64_t kMostMillis = INT64_MAX / kNanosPerMilli;
    const auto end = request.number("endTs", to_millis(services.now()), kMostMillis);
    if (!end) return failed(end.error());
    const auto lookback = request.number("lookback", kListed.count(), kMostMillis);
    if (!lookback) return failed(lookback.error());
    return answer_from(services, [&](Connection& connection, json& data) -> Result<Unit> {
        TRY(const auto calls,
            records::trace_dependencies(connection, std::max<std::int64_t>(1, (*end - *lookback) * kNanosPerMilli),
                                        *end * kNanosPerMilli));
        for (const auto& call : calls) {
            data.push_back({{"parent", call.parent}, {"child", call.child}, {"callCount", call.calls}});
        }
        return Unit{};
    });
}

}  // namespace

std::vector<Route> jaeger_routes(Services& services) {
    const auto with = [&services](net::Response (*handler)(Services&, const ApiRequest&)) {
        return [&services, handler](const ApiRequest& request) { return handler(services, request); };
    };
    return {{"GET", "/api/services", Cost::Query, with(&list_services)},
            {"GET", "/api/services/*/operations", Cost::Query, with(&list_operation_names)},
            {"GET", "/api/operations", Cost::Query, with(&list_operations)},
            {"GET", "/api/traces", Cost::Query, with(&search)},
            {"GET", "/api/traces/*", Cost::Query, with(&get)},
            {"GET", "/api/dependencies", Cost::Query, with(&dependencies)}};
}

}  // namespace stoker::api
