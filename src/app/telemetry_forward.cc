#include "app/telemetry_forward.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "records/telemetry.h"
#include "wire/otlp_forward.h"

namespace stoker::app {
namespace {

using nlohmann::json;
using wire::otlp::ForwardedLog;
using wire::otlp::ForwardedSource;
using wire::otlp::ForwardedSpan;

// Of one request; the first record goes whole.
constexpr std::size_t kItems = 5'000;
constexpr std::size_t kBytes = std::size_t{4} << 20;

template <typename One>
using BySource = std::map<ForwardedSource, std::vector<One>>;

json list_of(const std::string& text) {
    json list = text.empty() ? json::array() : json::parse(text, nullptr, false);
    return list.is_array() ? list : json::array();
}

std::string text_of(const json& object, const char* name) {
    const auto member = object.find(name);
    return member != object.end() && member->is_string() ? member->get<std::string>() : std::string{};
}

std::string object_of(const json& object, const char* name) {
    const auto member = object.find(name);
    return member != object.end() && member->is_object() ? member->dump(-1, ' ', false, json::error_handler_t::replace)
                                                         : std::string{};
}

void add_events(const std::string& events, ForwardedSpan& span) {
    for (const json& event : list_of(events)) {
        if (!event.is_object()) continue;
        const auto time = event.find("time_ns");
        const bool timed = time != event.end() && time->is_number_integer();
        span.events.push_back(
            {timed ? time->get<std::int64_t>() : 0, text_of(event, "name"), object_of(event, "attributes")});
    }
}

void add_links(const std::string& links, ForwardedSpan& span) {
    for (const json& link : list_of(links)) {
        if (!link.is_object()) continue;
        span.links.push_back({text_of(link, "trace_id"), text_of(link, "span_id"), object_of(link, "attributes")});
    }
}

ForwardedSpan forwarded(records::SpanRow row) {
    ForwardedSpan span;
    span.trace_id = std::move(row.trace_id);
    span.span_id = std::move(row.span_id);
    span.parent_span_id = std::move(row.parent_span_id);
    span.name = std::move(row.name);
    span.kind = std::move(row.kind);
    span.start_ns = row.start_ns;
    span.end_ns = row.start_ns + row.duration_ns;
    span.error = row.error;
    span.status_message = std::move(row.status_message);
    span.attributes = std::move(row.attributes);
    add_events(row.events, span);
    add_links(row.links, span);
    return span;
}

// What a column says that OTLP has no field for.
std::string more_of(const records::LogRow& row) {
    json more = json::object();
    const auto add = [&more](const char* name, const std::string& text) {
        if (!text.empty()) more[name] = text;
    };
    if (row.source != "otlp") add("stoker.log.source", row.source);
    add("stoker.log.stream", row.stream);
    add("stoker.log.signature", row.signature);
    return more.empty() ? std::string{} : more.dump(-1, ' ', false, json::error_handler_t::replace);
}

ForwardedLog forwarded(records::LogRow row) {
    ForwardedLog log;
    log.more = more_of(row);
    log.time_ns = row.time_ns;
    log.observed_ns = row.observed_ns;
    log.severity = row.severity;
    log.severity_text = std::move(row.severity_text);
    log.body = std::move(row.body);
    log.attributes = std::move(row.attributes);
    log.trace_id = std::move(row.trace_id);
    log.span_id = std::move(row.span_id);
    return log;
}

std::string scope_of(const records::SpanRow& row) {
    return row.scope;
}
std::string scope_of(const records::LogRow&) {
    return {};
}

Result<std::vector<records::SpanRow>> spans_of(const std::string& payload) {
    TRY(auto batch, records::span_batch_from_json(payload));
    return std::move(batch.spans);
}

// Spans and lines go the same way: rows of a few records, by whom they are from.
template <typename One, typename Rows, typename Encode>
outward::OtlpBatch batch_of(std::span<const journal::Record> records, const Rows& rows, const Encode& encode) {
    outward::OtlpBatch batch;
    BySource<One> all;
    std::size_t bytes = 0;
    for (const journal::Record& record : records) {
        bytes += record.payload.size();
        if (batch.records > 0 && (batch.items >= kItems || bytes > kBytes)) break;
        ++batch.records;
        auto read = rows(record.payload);
        if (!read) {
            ++batch.unreadable;
            continue;
        }
        for (auto& row : *read) {
            ForwardedSource source{row.service, row.resource, scope_of(row)};
            all[std::move(source)].push_back(forwarded(std::move(row)));
            ++batch.items;
        }
    }
    if (batch.items > 0) batch.body = encode(all);
    return batch;
}

}  // namespace

outward::OtlpBatch otlp_spans(std::span<const journal::Record> records, const wire::otlp::Attributes& resource) {
    return batch_of<ForwardedSpan>(records, spans_of, [&resource](const BySource<ForwardedSpan>& all) {
        return wire::otlp::encode_spans(all, resource);
    });
}

outward::OtlpBatch otlp_logs(std::span<const journal::Record> records, const wire::otlp::Attributes& resource) {
    return batch_of<ForwardedLog>(records, records::logs_from_json, [&resource](const BySource<ForwardedLog>& all) {
        return wire::otlp::encode_logs(all, resource);
    });
}

}  // namespace stoker::app
