// OTLP's JSON encoding of logs; see otlp_json.cc for what is peculiar to it.
#include "wire/otlp_logs.h"
#include "wire/otlp_value_json.h"

namespace stoker::wire::otlp {
namespace {

using simdjson::dom::element;

class Decoder : private internal::JsonValues {
public:
    using JsonValues::JsonValues;

    void request(element root, LogsRequest& out) {
        if (!root.is_object()) throw Malformed{"not a JSON object"};
        members(root, [&](std::string_view key, element value) {
            if (key == "resourceLogs") {
                each(value, [&](element one) { resource_logs(one, budget_.add(out.resources)); });
            }
        });
    }

private:
    void resource_logs(element object, LogResource& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "resource") {
                members(value, [&](std::string_view inner, element list) {
                    if (inner == "attributes") attributes(list, out.attributes);
                });
            } else if (key == "scopeLogs") {
                each(value, [&](element one) { scope_logs(one, budget_.add(out.scopes)); });
            }
        });
    }

    void scope_logs(element object, LogScope& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "scope") {
                members(value, [&](std::string_view inner, element of) {
                    if (inner == "name") text(of, out.name);
                    if (inner == "version") text(of, out.version);
                });
            } else if (key == "logRecords") {
                each(value, [&](element one) { record(one, budget_.add(out.records)); });
            }
        });
    }

    void record(element object, LogRecord& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "timeUnixNano") out.time = integer_of<std::uint64_t>(value);
            if (key == "observedTimeUnixNano") out.observed = integer_of<std::uint64_t>(value);
            if (key == "severityNumber") out.severity = severity(value);
            if (key == "severityText") text(value, out.severity_text);
            if (key == "body") budget_.set(out.body, any_value(value, 0));
            if (key == "attributes") attributes(value, out.attributes);
            if (key == "traceId") id(value, 32, out.trace_id);
            if (key == "spanId") id(value, 16, out.span_id);
            if (key == "eventName") text(value, out.event_name);
        });
    }

    // The specification has numbers only, but some exporters write the names: SEVERITY_NUMBER_WARN2.
    static std::int32_t severity(element value) {
        std::string_view name;
        if (value.get(name) != simdjson::SUCCESS) return small_integer_of(value);
        constexpr std::string_view kPrefix = "SEVERITY_NUMBER_";
        constexpr std::string_view kNames[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
        if (!name.starts_with(kPrefix)) return small_integer_of(value);
        name.remove_prefix(kPrefix.size());
        std::int32_t base = 1;
        for (const std::string_view known : kNames) {
            if (name == known) return base;
            if (name.size() == known.size() + 1 && name.starts_with(known) && name.back() >= '2' &&
                name.back() <= '4') {
                return base + (name.back() - '1');
            }
            base += 4;
        }
        return 0;
    }
};

}  // namespace

Result<LogsRequest> parse_logs_json(std::string_view body, const Limits& limits) {
    simdjson::dom::parser parser;
    element root;
    if (const auto error = parser.parse(body.data(), body.size()).get(root)) {
        return Error{Errc::InvalidArgument, "OTLP logs: not JSON: " + std::string(simdjson::error_message(error))};
    }
    LogsRequest out;
    TRY_UNIT(guarded("OTLP logs", [&] { Decoder(limits).request(root, out); }));
    return out;
}

}  // namespace stoker::wire::otlp
