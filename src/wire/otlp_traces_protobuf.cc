// Field numbers: opentelemetry-proto, trace/v1/trace.proto and common/v1/common.proto.
#include <protozero/pbf_reader.hpp>

#include "wire/otlp_value_protobuf.h"
#include "wire/received_spans.h"

namespace stoker::wire {
namespace {

using otlp::internal::id_text;
using protozero::pbf_reader;

constexpr std::int32_t kStatusError = 2;

// The protocol's numbers.
ReceivedKind kind_of(std::int32_t number) {
    constexpr ReceivedKind kKinds[] = {ReceivedKind::Internal, ReceivedKind::Internal, ReceivedKind::Server,
                                       ReceivedKind::Client,   ReceivedKind::Producer, ReceivedKind::Consumer};
    return number >= 0 && number <= 5 ? kKinds[number] : ReceivedKind::Internal;
}

class Decoder : private otlp::internal::ProtobufValues {
public:
    using ProtobufValues::ProtobufValues;

    void request(pbf_reader message, SpansRequest& out) {
        while (message.next()) {
            if (message.tag_and_type() == bytes_field(1)) {
                resource_spans(message.get_message(), out);
            } else {
                message.skip();
            }
        }
    }

private:
    void resource_spans(pbf_reader message, SpansRequest& out) {
        JsonAttributes resource;
        const std::size_t first = out.groups.size();
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    attributes_of(message.get_message(), resource);
                    break;
                case bytes_field(2):
                    scope_spans(message.get_message(), budget_.add(out.groups));
                    break;
                default:
                    message.skip();
            }
        }
        // The resource may stand behind its spans.
        for (std::size_t i = first; i < out.groups.size(); ++i) {
            for (const auto& [key, value] : resource) budget_.take(sizeof(resource[0]) + key.size() + value.size());
            out.groups[i].resource = resource;
        }
    }

    void attributes_of(pbf_reader message, JsonAttributes& out) {
        while (message.next()) {
            if (message.tag_and_type() == bytes_field(1)) {
                json_attribute(message.get_message(), out);
            } else {
                message.skip();
            }
        }
    }

    void scope_spans(pbf_reader message, SpanGroup& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    scope(message.get_message(), out);
                    break;
                case bytes_field(2):
                    span(message.get_message(), budget_.add(out.spans));
                    break;
                default:
                    message.skip();
            }
        }
    }

    void scope(pbf_reader message, SpanGroup& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    text(message, out.scope);
                    break;
                case bytes_field(2):
                    text(message, out.scope_version);
                    break;
                default:
                    message.skip();
            }
        }
    }

    void span(pbf_reader message, ReceivedSpan& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    id(message, 16, out.trace_id);
                    break;
                case bytes_field(2):
                    id(message, 8, out.span_id);
                    break;
                case bytes_field(4):
                    id(message, 8, out.parent_span_id);
                    break;
                case bytes_field(5):
                    text(message, out.name);
                    break;
                case varint_field(6):
                    out.kind = kind_of(message.get_enum());
                    break;
                case fixed64_field(7):
                    out.start = message.get_fixed64();
                    break;
                case fixed64_field(8):
                    out.end = message.get_fixed64();
                    break;
                case bytes_field(9):
                    json_attribute(message.get_message(), out.attributes);
                    break;
                case bytes_field(11):
                    event(message.get_message(), budget_.add(out.events));
                    break;
                case bytes_field(13):
                    link(message.get_message(), budget_.add(out.links));
                    break;
                case bytes_field(15):
                    status(message.get_message(), out);
                    break;
                default:
                    message.skip();
            }
        }
    }

    void event(pbf_reader message, ReceivedEvent& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case fixed64_field(1):
                    out.time = message.get_fixed64();
                    break;
                case bytes_field(2):
                    text(message, out.name);
                    break;
                case bytes_field(3):
                    json_attribute(message.get_message(), out.attributes);
                    break;
                default:
                    message.skip();
            }
        }
    }

    void link(pbf_reader message, ReceivedLink& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    id(message, 16, out.trace_id);
                    break;
                case bytes_field(2):
                    id(message, 8, out.span_id);
                    break;
                case bytes_field(4):
                    json_attribute(message.get_message(), out.attributes);
                    break;
                default:
                    message.skip();
            }
        }
    }

    void status(pbf_reader message, ReceivedSpan& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(2):
                    text(message, out.status_message);
                    break;
                case varint_field(3):
                    out.error = message.get_enum() == kStatusError;
                    break;
                default:
                    message.skip();
            }
        }
    }

    // One of another length is none: what is behind knows only ids of the right one.
    void id(pbf_reader& field, std::size_t length, std::string& out) {
        const std::string_view bytes = text_of(field);
        if (bytes.size() == length) budget_.set(out, id_text(bytes));
    }

    void json_attribute(pbf_reader message, JsonAttributes& out) {
        auto& [key, value] = budget_.add(out);
        value = "null";
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    text(message, key);
                    break;
                case bytes_field(2):
                    budget_.set(value, any_value(message.get_message(), 1));
                    break;
                default:
                    message.skip();
            }
        }
    }
};

}  // namespace

Result<SpansRequest> parse_otlp_traces_protobuf(std::string_view body, const otlp::Limits& limits) {
    SpansRequest out;
    TRY_UNIT(guarded("OTLP traces", [&] { Decoder(limits).request(reader_of(body), out); }));
    return out;
}

}  // namespace stoker::wire
