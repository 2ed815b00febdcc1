#include "collect/logs/receive.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "collect/logs/parse_line.h"
#include "collect/logs/severity.h"
#include "collect/push/otlp_answer.h"
#include "collect/push/push_support.h"
#include "wire/compression.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kAttributeOverhead = 16;  // Quotes, commas and the like, as stored.

std::size_t size_of(const LogEntry& entry) {
    std::size_t bytes = entry.body.size() + entry.stream.size() + entry.service.size() + entry.severity_text.size();
    for (const auto* list : {&entry.attributes, &entry.resource}) {
        for (const auto& [key, value] : *list) bytes += key.size() + value.size() + kAttributeOverhead;
    }
    return bytes;
}

// The labels by which Promtail, Alloy, Fluent Bit and Docker's Loki driver say whose lines they are, best first.
constexpr std::array<std::string_view, 8> kServiceLabels = {"service_name", "service", "app",       "application",
                                                            "container",    "job",     "component", "unit"};

std::string service_of(const wire::loki::Labels& labels) {
    for (const std::string_view wanted : kServiceLabels) {
        for (const auto& [name, value] : labels) {
            if (name == wanted && !value.empty()) return value;
        }
    }
    return {};
}

// A pair of Loki's labels or metadata that the entry has a field for.
void take_known(LogEntry& entry, std::string_view name, std::string_view value) {
    if (entry.severity == 0 && (name == "level" || name == "detected_level" || name == "severity")) {
        entry.severity = severity_of_word(value);
        entry.severity_text = value;
    }
    const bool hex = value.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    if ((name == "trace_id" || name == "traceID" || name == "traceId") && value.size() == 32 && hex) {
        entry.trace_id = value;
    }
    if ((name == "span_id" || name == "spanID" || name == "spanId") && value.size() == 16 && hex) entry.span_id = value;
}

}  // namespace

std::vector<LogEntry> entries_of(wire::otlp::LogsRequest request, std::int64_t observed_ns) {
    constexpr std::uint64_t kMost = INT64_MAX;
    const auto nanos = [](std::uint64_t time) { return time > kMost ? 0 : static_cast<std::int64_t>(time); };
    std::vector<LogEntry> entries;
    for (auto& resource : request.resources) {
        const std::string* service = wire::otlp::find(resource.attributes, "service.name");
        for (auto& scope : resource.scopes) {
            for (auto& record : scope.records) {
                LogEntry& entry = entries.emplace_back();
                entry.source = "otlp";
                entry.stream = scope.name;
                entry.service = service != nullptr ? *service : "";
                entry.time_ns = nanos(record.time);
                entry.observed_ns = record.observed != 0 ? nanos(record.observed) : observed_ns;
                if (record.severity >= 1 && record.severity <= 24) {
                    entry.severity = static_cast<std::uint8_t>(record.severity);
                }
                entry.severity_text = std::move(record.severity_text);
                if (entry.severity == 0) entry.severity = severity_of_word(entry.severity_text);
                entry.body = std::move(record.body);
                entry.trace_id = std::move(record.trace_id);
                entry.span_id = std::move(record.span_id);
                entry.attributes = std::move(record.attributes);
                if (!record.event_name.empty()) entry.attributes.emplace_back("event.name", record.event_name);
                if (!scope.version.empty()) entry.attributes.emplace_back("otel.scope.version", scope.version);
                entry.resource = resource.attributes;
            }
        }
    }
    return entries;
}

std::vector<LogEntry> entries_of(std::vector<wire::loki::Stream> streams, std::int64_t observed_ns) {
    std::vector<LogEntry> entries;
    for (auto& stream : streams) {
        const std::string labels = wire::loki::labels_text(stream.labels);
        const std::string service = service_of(stream.labels);
        for (auto& line : stream.lines) {
            LogEntry& entry = entries.emplace_back();
            entry.source = "loki";
            entry.stream = labels;
            entry.service = service;
            entry.time_ns = line.time_ns;
            entry.observed_ns = observed_ns;
            entry.body = std::move(line.text);
            entry.resource = stream.labels;
            for (const auto& [name, value] : stream.labels) take_known(entry, name, value);
            for (const auto& [name, value] : line.metadata) take_known(entry, name, value);
            entry.attributes = std::move(line.metadata);
            parse_line(entry);
        }
    }
    return entries;
}

LogReceiver::LogReceiver(LogSink& sink, LogReceiverOptions options, metrics::Registry& registry)
    : sink_(sink),
      options_(options),
      lines_(registry.counter("stoker_logs_received_total", "Lines of log that were pushed, by what became of them.",
                              {"protocol", "result"})),
      requests_(registry.counter("stoker_logs_requests_total",
                                 "Requests that push logs, by class of the answer's status.", {"protocol", "code"})) {}

net::Response LogReceiver::counted(net::Response response, const char* protocol) {
    const std::string code = std::to_string(response.status / 100) + "xx";
    requests_.with({protocol, code}).add();
    return response;
}

Result<LogReceiver::Rejected> LogReceiver::store(std::vector<LogEntry> entries, const char* protocol) {
    Rejected rejected;
    std::erase_if(entries, [&](LogEntry& entry) {
        if (entry.body.size() > options_.max_line_bytes) {
            entry.attributes.emplace_back("stoker.cut_bytes",
                                          std::to_string(entry.body.size() - options_.max_line_bytes));
            entry.body.resize(options_.max_line_bytes);
        }
        if (size_of(entry) <= options_.max_entry_bytes) return false;
        ++rejected.lines;
        return true;
    });
    if (rejected.lines > 0) {
        rejected.why = "attributes of more than " + std::to_string(options_.max_entry_bytes) + " bytes on one line";
    }
    const std::size_t count = entries.size();
    lines_.with({protocol, "rejected"}).add(static_cast<double>(rejected.lines));
    if (count > 0) {
        auto taken = sink_.append(std::move(entries));
        if (!taken) {
            lines_.with({protocol, "failed"}).add(static_cast<double>(count));
            return std::move(taken).error();
        }
    }
    lines_.with({protocol, "stored"}).add(static_cast<double>(count));
    return rejected;
}

net::Response LogReceiver::receive_otlp(const PushRequest& request) {
    return counted(handle_otlp(request), "otlp");
}

net::Response LogReceiver::handle_otlp(const PushRequest& request) {
    const OtlpAnswer answer(request);
    if (!answer.known()) return answer.unknown_type();
    auto body = decoded_body(request, options_.max_body_bytes);
    if (!body) return answer.failed(push_status(body.error()), body.error().message);
    auto parsed = answer.json() ? wire::otlp::parse_logs_json(*body) : wire::otlp::parse_logs_protobuf(*body);
    if (!parsed) return answer.failed(push_status(parsed.error()), parsed.error().message);
    auto rejected = store(entries_of(*std::move(parsed), to_millis(request.now) * 1'000'000), "otlp");
    // Whatever keeps the sink from taking lines may pass.
    if (!rejected) return answer.failed(503, rejected.error().message);
    return answer.taken("rejectedLogRecords", rejected->lines, rejected->why);
}

net::Response LogReceiver::receive_loki(const PushRequest& request) {
    return counted(handle_loki(request), "loki");
}

net::Response LogReceiver::handle_loki(const PushRequest& request) {
    const auto text = [](int status, const std::string& message) {
        net::Response response{status, {{"Content-Type", "text/plain; charset=utf-8"}}, message + "\n"};
        if (status == 503) response.headers.add("Retry-After", "5");
        return response;
    };
    const std::string_view type = request.headers.get("content-type").value_or("");
    const bool json = equals_ignore_case(trim(type.substr(0, type.find(';'))), "application/json");
    // Protobuf bodies are in snappy's block format whether the header says so or not.
    const bool named = request.headers.get("content-encoding").has_value();
    auto body = json || named ? decoded_body(request, options_.max_body_bytes)
                              : wire::decompress("snappy", request.body, options_.max_body_bytes);
    if (!body) return text(push_status(body.error()), body.error().message);
    auto parsed = json ? wire::loki::parse_push_json(*body) : wire::loki::parse_push_protobuf(*body);
    if (!parsed) return text(push_status(parsed.error()), parsed.error().message);
    auto rejected = store(entries_of(*std::move(parsed), to_millis(request.now) * 1'000'000), "loki");
    if (!rejected) return text(503, rejected.error().message);
    // Loki has no partial success: 400 makes senders drop what was refused, and the rest is stored.
    if (rejected->lines > 0) return text(400, std::to_string(rejected->lines) + " lines rejected: " + rejected->why);
    return {204, {}, {}};
}

}  // namespace stoker::collect
