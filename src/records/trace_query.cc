#include "records/trace_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <tuple>
#include <unordered_set>

#include "records/chunk_reader.h"
#include "records/slices.h"
#include "records/telemetry_schema.h"

namespace stoker::records {
namespace {

constexpr std::int64_t kNanosPerMicro = 1000;
// How far apart the spans of a trace may begin: what lies further away is not looked at for a summary.
constexpr std::int64_t kTraceReach = 3'600'000'000'000;

constexpr const char* kSpanColumns =
    "trace_id, span_id, parent_span_id, name, kind, service, scope, format, start_ns, duration_ns, error, "
    "status_message, attributes, resource, events, links, operation, provider, model, input_tokens, output_tokens, "
    "weight";

SpanRow span_of(RowReader& column) {
    SpanRow span;
    span.trace_id = column.text();
    span.span_id = column.text();
    span.parent_span_id = column.text();
    span.name = column.text();
    span.kind = column.text();
    span.service = column.text();
    span.scope = column.text();
    span.format = column.text();
    span.start_ns = column.number<std::int64_t>();
    span.duration_ns = column.number<std::int64_t>();
    span.error = column.number<bool>();
    span.status_message = column.text();
    span.attributes = column.text();
    span.resource = column.text();
    span.events = column.text();
    span.links = column.text();
    span.operation = column.text();
    span.provider = column.text();
    span.model = column.text();
    span.input_tokens = column.number<std::int64_t>(kUnknownTokens);
    span.output_tokens = column.number<std::int64_t>(kUnknownTokens);
    span.weight = column.number<double>(1);
    return span;
}

struct Condition {
    std::string sql = "true";
    std::vector<duck::Parameter> parameters;

    void add(std::string_view expression, duck::Parameter value) {
        sql += " AND ";
        sql += expression;
        parameters.push_back(std::move(value));
    }
    // On `time`, whose bounds DuckDB keeps for each row group.
    void between(std::int64_t from_ns, std::int64_t to_ns) {
        if (from_ns > 0) add("time >= make_timestamp(CAST(? AS BIGINT))", from_ns / kNanosPerMicro);
        if (to_ns > 0) add("time < make_timestamp(CAST(? AS BIGINT))", to_ns / kNanosPerMicro);
    }
};

// json_extract_string's path of one key, whatever stands in it.
std::string path_of(const std::string& key) {
    std::string path = "$.\"";
    for (const char c : key) {
        if (c == '"' || c == '\\') path += '\\';
        path += c;
    }
    return path + '"';
}

Condition condition_of(const TraceFilter& filter) {
    Condition where;
    where.between(filter.from_ns, filter.to_ns);
    if (!filter.service.empty()) where.add("service = ?", filter.service);
    if (!filter.name.empty()) where.add("name = ?", filter.name);
    if (!filter.model.empty()) where.add("model = ?", filter.model);
    if (filter.errors) where.sql += " AND error";
    if (filter.min_duration_ns > 0) where.add("duration_ns >= ?", filter.min_duration_ns);
    if (filter.max_duration_ns > 0) where.add("duration_ns <= ?", filter.max_duration_ns);
    if (!filter.text.empty()) {
        where.add("contains(lower(name || chr(1) || attributes), lower(?))", filter.text);
    }
    for (const auto& [key, value] : filter.tags) {
        // Jaeger's own words for what has a column here.
        if (key == "error" && (value == "true" || value == "false")) {
            where.sql += value == "true" ? " AND error" : " AND NOT error";
            continue;
        }
        where.add("coalesce(json_extract_string(attributes, ?)", path_of(key));
        where.sql += ", json_extract_string(resource, ?)) = ?";
        where.parameters.emplace_back(path_of(key));
        where.parameters.emplace_back(value);
    }
    return where;
}

struct Hits {
    std::vector<std::string> trace_ids;
    std::int64_t first_us = 0;
    std::int64_t last_us = 0;
    std::int64_t searched_from_ns = 0;
    bool complete = false;
};

// The newest traces that have a span as asked for: looked for backwards in time until there are enough or the budget is
// spent.
Result<Hits> newest_traces(duck::Connection& connection, const TraceFilter& filter) {
    constexpr std::int64_t kSpansOfATrace = 400;  // No trace takes more of the rows that a slice reads.
    Hits hits;
    std::unordered_set<std::string> seen;
    Slices slices(filter.from_ns, filter.to_ns > 0 ? filter.to_ns : now_nanos(), filter.budget);
    for (bool first = true; !hits.complete && slices.next(std::chrono::steady_clock::now()); first = false) {
        TraceFilter part = filter;
        part.from_ns = slices.from_ns();
        // What is of the future, by a sender's clock, belongs to the first slice.
        if (!first) part.to_ns = slices.to_ns();
        Condition where = condition_of(part);
        where.parameters.emplace_back(static_cast<std::int64_t>(filter.limit) * kSpansOfATrace);
        TRY(duck::Rows rows, connection.query("SELECT trace_id, epoch_us(time) FROM spans WHERE " + where.sql +
                                                  " ORDER BY time DESC LIMIT ?",
                                              where.parameters));
        TRY_UNIT(each_row(std::move(rows), [&](RowReader& column) {
            if (hits.trace_ids.size() >= filter.limit) return;
            std::string trace_id = column.text();
            const auto time = column.number<std::int64_t>();
            if (!seen.insert(trace_id).second) return;
            hits.first_us = time;  // They come newest first.
            if (hits.trace_ids.empty()) hits.last_us = time;
            hits.trace_ids.push_back(std::move(trace_id));
        }));
        hits.searched_from_ns = slices.from_ns();
        hits.complete = slices.complete() || hits.trace_ids.size() >= filter.limit;
    }
    return hits;
}

}  // namespace

Result<TraceList> find_traces(duck::Connection& connection, const TraceFilter& filter) {
    TraceList list;
    std::vector<TraceSummary>& traces = list.traces;
    if (filter.limit == 0) return list;
    TRY(const Hits hits, newest_traces(connection, filter));
    list.searched_from_ns = hits.searched_from_ns;
    list.complete = hits.complete;
    if (hits.trace_ids.empty()) return list;
    Condition where;
    where.between(std::max<std::int64_t>(1, hits.first_us * kNanosPerMicro - kTraceReach),
                  hits.last_us * kNanosPerMicro + kTraceReach);
    std::string keys;
    std::string ids;
    for (const std::string& id : hits.trace_ids) {
        keys += fmt::format("{}{}", keys.empty() ? "" : ",", trace_key(id));
        ids += ids.empty() ? "?" : ",?";
        where.parameters.emplace_back(id);
    }
    TRY(duck::Rows rows,
        connection.query(
            fmt::format("SELECT trace_id, arg_min(name, (parent_span_id <> '', start_ns)), "
                        "arg_min(service, (parent_span_id <> '', start_ns)), min(start_ns), "
                        "max(start_ns + duration_ns), count(*), count(*) FILTER (error), count(DISTINCT service), "
                        "max(model), CAST(coalesce(max(input_tokens), 0) AS BIGINT), "
                        "CAST(coalesce(max(output_tokens), 0) AS BIGINT), max(weight) "
                        "FROM spans WHERE {} AND trace_key IN ({}) AND trace_id IN ({}) GROUP BY trace_id "
                        "ORDER BY min(start_ns) DESC, trace_id",
                        where.sql, keys, ids),
            where.parameters));
    TRY_UNIT(each_row(std::move(rows), [&](RowReader& column) {
        TraceSummary& trace = traces.emplace_back();
        trace.trace_id = column.text();
        trace.name = column.text();
        trace.service = column.text();
        trace.start_ns = column.number<std::int64_t>();
        trace.duration_ns = column.number<std::int64_t>() - trace.start_ns;
        trace.spans = column.number<std::int64_t>();
        trace.errors = column.number<std::int64_t>();
        trace.services = column.number<std::int64_t>();
        trace.model = column.text();
        trace.input_tokens = column.number<std::int64_t>();
        trace.output_tokens = column.number<std::int64_t>();
        trace.weight = column.number<double>(1);
    }));
    return list;
}

Result<std::vector<SpanRow>> get_trace(duck::Connection& connection, const std::string& trace_id, std::int64_t near_ns,
                                       std::size_t most) {
    const auto look = [&](std::int64_t from_ns, std::int64_t to_ns) -> Result<std::vector<SpanRow>> {
        Condition where;
        where.between(from_ns, to_ns);
        where.add("trace_id = ?", trace_id);
        where.parameters.emplace_back(static_cast<std::int64_t>(most));
        TRY(duck::Rows rows, connection.query(fmt::format("SELECT {} FROM spans WHERE trace_key = {} AND {} ORDER BY "
                                                          "start_ns, duration_ns DESC LIMIT ?",
                                                          kSpanColumns, trace_key(trace_id), where.sql),
                                              where.parameters));
        std::vector<SpanRow> spans;
        // A sender that got no answer sends again; Zipkin's client and server share an id.
        std::set<std::tuple<std::string, std::string, std::int64_t>> seen;
        TRY_UNIT(each_row(std::move(rows), [&](RowReader& column) {
            SpanRow span = span_of(column);
            if (seen.emplace(span.span_id, span.kind, span.start_ns).second) spans.push_back(std::move(span));
        }));
        return spans;
    };
    if (near_ns > 0) {
        TRY(auto spans, look(std::max<std::int64_t>(1, near_ns - kTraceReach), near_ns + kTraceReach));
        if (!spans.empty()) return spans;
    }
    TRY(auto spans, look(0, 0));
    if (spans.empty()) {
        return Error{Errc::NotFound, fmt::format("there is no trace {}: it never came, it was not sampled, or it is "
                                                 "older than storage.telemetry.retention",
                                                 trace_id)};
    }
    return spans;
}

Result<std::vector<std::string>> trace_services(duck::Connection& connection, std::int64_t from_ns) {
    Condition where;
    where.between(from_ns, 0);
    TRY(duck::Rows rows,
        connection.query("SELECT DISTINCT service FROM spans WHERE " + where.sql + " ORDER BY service LIMIT 10000",
                         where.parameters));
    std::vector<std::string> services;
    TRY_UNIT(each_row(std::move(rows), [&](RowReader& column) { services.push_back(column.text()); }));
    return services;
}

Result<std::vector<TraceOperation>> trace_operations(duck::Connection& connection, const std::string& service,
                                                     const std::string& kind, std::int64_t from_ns) {
    Condition where;
    where.between(from_ns, 0);
    where.add("service = ?", service);
    if (!kind.empty()) where.add("kind = ?", kind);
    TRY(duck::Rows rows,
        connection.query("SELECT name, kind FROM (SELECT name, kind, count(*) AS n FROM spans WHERE " + where.sql +
                             " GROUP BY ALL ORDER BY n DESC LIMIT 1000) ORDER BY name, kind",
                         where.parameters));
    std::vector<TraceOperation> operations;
    TRY_UNIT(each_row(std::move(rows), [&](RowReader& column) {
        TraceOperation& operation = operations.emplace_back();
        operation.name = column.text();
        operation.kind = column.text();
    }));
    return operations;
}

Result<std::vector<TraceDependency>> trace_dependencies(duck::Connection& connection, std::int64_t from_ns,
                                                        std::int64_t to_ns) {
    Condition where;
    where.between(from_ns, to_ns);
    const auto parameters = where.parameters;
    where.parameters.insert(where.parameters.end(), parameters.begin(), parameters.end());
    TRY(duck::Rows rows,
        connection.query(
            fmt::format("WITH child AS (SELECT trace_id, parent_span_id, service, weight FROM spans WHERE {0} AND "
                        "parent_span_id <> ''), parent AS (SELECT DISTINCT trace_id, span_id, service FROM spans "
                        "WHERE {0}) SELECT parent.service, child.service, CAST(round(sum(weight)) AS BIGINT) FROM "
                        "child JOIN parent ON child.trace_id = parent.trace_id AND child.parent_span_id = "
                        "parent.span_id WHERE parent.service <> child.service GROUP BY ALL ORDER BY ALL LIMIT 10000",
                        where.sql),
            where.parameters));
    std::vector<TraceDependency> dependencies;
    TRY_UNIT(each_row(std::move(rows), [&](RowReader& column) {
        TraceDependency& dependency = dependencies.emplace_back();
        dependency.parent = column.text();
        dependency.child = column.text();
        dependency.calls = column.number<std::int64_t>();
    }));
    return dependencies;
}

}  // namespace stoker::records
