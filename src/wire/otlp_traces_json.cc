// OTLP's JSON encoding of traces; see otlp_json.cc for what is peculiar to it.
#include "wire/otlp_value_json.h"
#include "wire/received_spans.h"

namespace stoker::wire {
namespace {

using simdjson::dom::element;

class Decoder : private otlp::internal::JsonValues {
public:
    using JsonValues::JsonValues;

    void request(element root, SpansRequest& out) {
        if (!root.is_object()) throw Malformed{"not a JSON object"};
        members(root, [&](std::string_view key, element value) {
            if (key == "resourceSpans") {
                each(value, [&](element one) { resource_spans(one, out); });
            }
        });
    }

private:
    void resource_spans(element object, SpansRequest& out) {
        JsonAttributes resource;
        const std::size_t first = out.groups.size();
        members(object, [&](std::string_view key, element value) {
            if (key == "resource") {
                members(value, [&](std::string_view inner, element list) {
                    if (inner == "attributes") json_attributes(list, resource);
                });
            } else if (key == "scopeSpans") {
                each(value, [&](element one) { scope_spans(one, budget_.add(out.groups)); });
            }
        });
        // The resource may stand behind its spans.
        for (std::size_t i = first; i < out.groups.size(); ++i) {
            for (const auto& [key, value] : resource) budget_.take(sizeof(resource[0]) + key.size() + value.size());
            out.groups[i].resource = resource;
        }
    }

    void scope_spans(element object, SpanGroup& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "scope") {
                members(value, [&](std::string_view inner, element of) {
                    if (inner == "name") text(of, out.scope);
                    if (inner == "version") text(of, out.scope_version);
                });
            } else if (key == "spans") {
                each(value, [&](element one) { span(one, budget_.add(out.spans)); });
            }
        });
    }

    void span(element object, ReceivedSpan& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "traceId") whole_id(value, 32, out.trace_id);
            if (key == "spanId") whole_id(value, 16, out.span_id);
            if (key == "parentSpanId") whole_id(value, 16, out.parent_span_id);
            if (key == "name") text(value, out.name);
            if (key == "kind") out.kind = kind(value);
            if (key == "startTimeUnixNano") out.start = integer_of<std::uint64_t>(value);
            if (key == "endTimeUnixNano") out.end = integer_of<std::uint64_t>(value);
            if (key == "attributes") json_attributes(value, out.attributes);
            if (key == "events") each(value, [&](element one) { event(one, budget_.add(out.events)); });
            if (key == "links") each(value, [&](element one) { link(one, budget_.add(out.links)); });
            if (key == "status") status(value, out);
        });
    }

    void event(element object, ReceivedEvent& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "timeUnixNano") out.time = integer_of<std::uint64_t>(value);
            if (key == "name") text(value, out.name);
            if (key == "attributes") json_attributes(value, out.attributes);
        });
    }

    void link(element object, ReceivedLink& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "traceId") whole_id(value, 32, out.trace_id);
            if (key == "spanId") whole_id(value, 16, out.span_id);
            if (key == "attributes") json_attributes(value, out.attributes);
        });
    }

    void status(element object, ReceivedSpan& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "message") text(value, out.status_message);
            if (key != "code") return;
            std::string_view name;
            out.error = value.get(name) == simdjson::SUCCESS ? name == "STATUS_CODE_ERROR" || name == "2"
                                                             : integer_of<std::int64_t>(value) == 2;
        });
    }

    // The specification has numbers only, but some exporters write the names.
    static ReceivedKind kind(element value) {
        constexpr std::string_view kNames[] = {"SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT",
                                               "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
        std::string_view name;
        if (value.get(name) == simdjson::SUCCESS) {
            for (std::size_t i = 0; i < std::size(kNames); ++i) {
                if (name == kNames[i]) return static_cast<ReceivedKind>(i);
            }
        }
        const std::int64_t number = value.is_string() ? 0 : integer_of<std::int64_t>(value);
        return number >= 1 && number <= 5 ? static_cast<ReceivedKind>(number - 1) : ReceivedKind::Internal;
    }

    // One of another length or with other characters is none.
    void whole_id(element value, std::size_t length, std::string& out) {
        const std::string_view given = string_of(value);
        if (given.size() != length || given.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos)
            return;
        id(value, length, out);
    }

    void json_attributes(element list, JsonAttributes& out) {
        each(list, [&](element one) {
            auto& attribute = budget_.add(out);
            attribute.second = "null";
            members(one, [&](std::string_view key, element value) {
                if (key == "key") text(value, attribute.first);
                if (key == "value") budget_.set(attribute.second, any_value(value, 1));
            });
        });
    }
};

}  // namespace

Result<SpansRequest> parse_otlp_traces_json(std::string_view body, const otlp::Limits& limits) {
    simdjson::dom::parser parser;
    element root;
    if (const auto error = parser.parse(body.data(), body.size()).get(root)) {
        return Error{Errc::InvalidArgument, "OTLP traces: not JSON: " + std::string(simdjson::error_message(error))};
    }
    SpansRequest out;
    TRY_UNIT(guarded("OTLP traces", [&] { Decoder(limits).request(root, out); }));
    return out;
}

}  // namespace stoker::wire
