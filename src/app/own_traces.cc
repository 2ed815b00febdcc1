#include "app/own_traces.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "gateway/request_spans.h"

namespace stoker::app {
namespace {

constexpr std::size_t kAtOnce = 500;
constexpr int kMostRounds = 100;  // Of one call, so that stopping never waits for a backlog.
constexpr std::int64_t kNanosPerMilli = 1'000'000;

const char* kind_name(wire::otlp::SpanKind kind) {
    switch (kind) {
        case wire::otlp::SpanKind::Server:
            return "server";
        case wire::otlp::SpanKind::Client:
            return "client";
        case wire::otlp::SpanKind::Internal:
            break;
    }
    return "internal";
}

std::string value_json(const wire::otlp::SpanValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return quote_json(*text);
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
    std::string list;
    for (const std::string& text : std::get<std::vector<std::string>>(value)) {
        list += (list.empty() ? "" : ",") + quote_json(text);
    }
    return "[" + list + "]";
}

std::string attributes_json(const wire::otlp::SpanAttributes& attributes) {
    if (attributes.empty()) return {};
    std::string out = "{";
    for (const auto& [key, value] : attributes) {
        if (out.size() > 1) out += ',';
        out += quote_json(key) + ":" + value_json(value);
    }
    return out + "}";
}

records::SpanRow row_of(wire::otlp::Span&& span) {
    records::SpanRow row;
    row.trace_id = std::move(span.trace_id);
    row.span_id = std::move(span.span_id);
    row.parent_span_id = std::move(span.parent_span_id);
    row.name = std::move(span.name);
    row.kind = kind_name(span.kind);
    row.service = "stoker";
    row.scope = "stoker.gateway";
    row.format = "stoker";
    row.start_ns = span.start_ns;
    row.duration_ns = std::max<std::int64_t>(0, span.end_ns - span.start_ns);
    row.error = span.failed;
    row.status_message = std::move(span.message);
    row.attributes = attributes_json(span.attributes);
    row.resource = R"({"service.name":"stoker","service.version":")" STOKER_VERSION R"("})";
    for (const auto& [key, value] : span.attributes) {
        if (key == "gen_ai.operation.name") row.operation = std::get<std::string>(value);
    }
    return row;
}

std::uint64_t first_wanted(const journal::Journal& journal, const std::string& marker) {
    const std::size_t space = marker.find(' ');
    if (space != std::string::npos && marker.substr(0, space) == journal.identity()) {
        const auto sequence = parse_integer(std::string_view(marker).substr(space + 1));
        if (sequence && *sequence >= 0) return static_cast<std::uint64_t>(*sequence) + 1;
    }
    return journal.next_sequence();
}

}  // namespace

OwnTraces::OwnTraces(journal::Journal& journal, records::TelemetryStore& store, records::SamplingOptions sampling,
                     tsdb::Ingest& metrics, metrics::Registry& registry)
    : journal_(journal),
      store_(store),
      sampling_(sampling),
      rate_(sampling),
      exemplars_(metrics),
      dropped_(
          registry.counter("stoker_own_traces_dropped_total", "Traces of requests that sampling left out.").with()),
      next_(first_wanted(journal, store.marker())) {}

void OwnTraces::add_spans(const records::RequestRecord& record, std::vector<records::SpanRow>& rows) {
    auto spans = gateway::spans_of(record);
    if (spans.empty()) return;
    const bool slow = sampling_.slow.count() > 0 && record.duration_ns / kNanosPerMilli >= sampling_.slow.count();
    const bool always = record.outcome != "ok" || slow;
    const bool part_of_another = !record.parent_span_id.empty();
    double weight = 1;
    if (!always && !part_of_another) {
        const Timestamp time = from_millis(record.time_ms);
        rate_.count(time);
        const double probability = rate_.probability(time);
        if (probability < 1 && records::trace_place(record.trace_id) >= probability) return dropped_.add();
        weight = 1 / probability;
    }
    const std::size_t first = rows.size();
    for (auto& span : spans) {
        records::SpanRow& row = rows.emplace_back(row_of(std::move(span)));
        row.weight = weight;
        // What failed is kept whether or not a span of it counts as an error: a client that left is no fault of ours.
        row.decided = always || !part_of_another;
    }
    exemplars_.add(record, now());
    records::SpanRow& request = rows[first];
    request.model = record.model;
    if (record.usage_source == records::UsageSource::None) return;
    request.input_tokens = record.prompt_tokens;
    request.output_tokens = record.completion_tokens;
}

Result<Unit> OwnTraces::take() {
    exemplars_.offer(now());
    for (int round = 0; round < kMostRounds; ++round) {
        next_ = std::max(next_, journal_.first_sequence());
        if (next_ >= journal_.next_sequence()) return Unit{};
        TRY(const auto entries, journal_.read(next_, kAtOnce));
        if (entries.empty()) return Unit{};
        std::vector<records::SpanRow> rows;
        for (const journal::Record& entry : entries) {
            if (entry.kind != journal::Kind::Request) continue;
            const auto record = records::request_record_from_json(entry.payload);
            if (record) add_spans(*record, rows);
        }
        const std::uint64_t last = entries.back().sequence;
        TRY_UNIT(store_.append(rows, fmt::format("{} {}", journal_.identity(), last)));
        next_ = last + 1;
    }
    return Unit{};
}

}  // namespace stoker::app
