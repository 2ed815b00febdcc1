// Field numbers: opentelemetry-proto, logs/v1/logs.proto and common/v1/common.proto.
#include <protozero/pbf_reader.hpp>

#include "wire/otlp_logs.h"
#include "wire/otlp_value_protobuf.h"

namespace stoker::wire::otlp {
namespace {

using protozero::pbf_reader;

class Decoder : private internal::ProtobufValues {
public:
    using ProtobufValues::ProtobufValues;

    void request(pbf_reader message, LogsRequest& out) {
        while (message.next()) {
            if (message.tag_and_type() == bytes_field(1)) {
                resource_logs(message.get_message(), budget_.add(out.resources));
            } else {
                message.skip();
            }
        }
    }

private:
    void resource_logs(pbf_reader message, LogResource& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    resource(message.get_message(), out);
                    break;
                case bytes_field(2):
                    scope_logs(message.get_message(), budget_.add(out.scopes));
                    break;
                default:
                    message.skip();
            }
        }
    }

    void resource(pbf_reader message, LogResource& out) {
        while (message.next()) {
            if (message.tag_and_type() == bytes_field(1)) {
                attribute(message.get_message(), out.attributes);
            } else {
                message.skip();
            }
        }
    }

    void scope_logs(pbf_reader message, LogScope& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    scope(message.get_message(), out);
                    break;
                case bytes_field(2):
                    record(message.get_message(), budget_.add(out.records));
                    break;
                default:
                    message.skip();
            }
        }
    }

    void scope(pbf_reader message, LogScope& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    text(message, out.name);
                    break;
                case bytes_field(2):
                    text(message, out.version);
                    break;
                default:
                    message.skip();
            }
        }
    }

    void record(pbf_reader message, LogRecord& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case fixed64_field(1):
                    out.time = message.get_fixed64();
                    break;
                case fixed64_field(11):
                    out.observed = message.get_fixed64();
                    break;
                case varint_field(2):
                    out.severity = message.get_enum();
                    break;
                case bytes_field(3):
                    text(message, out.severity_text);
                    break;
                case bytes_field(5):
                    budget_.set(out.body, any_value(message.get_message(), 0));
                    break;
                case bytes_field(6):
                    attribute(message.get_message(), out.attributes);
                    break;
                case bytes_field(9):
                    budget_.set(out.trace_id, internal::id_text(text_of(message).substr(0, 16)));
                    break;
                case bytes_field(10):
                    budget_.set(out.span_id, internal::id_text(text_of(message).substr(0, 8)));
                    break;
                case bytes_field(12):
                    text(message, out.event_name);
                    break;
                default:
                    message.skip();
            }
        }
    }
};

}  // namespace

Result<LogsRequest> parse_logs_protobuf(std::string_view body, const Limits& limits) {
    LogsRequest out;
    TRY_UNIT(guarded("OTLP logs", [&] { Decoder(limits).request(reader_of(body), out); }));
    return out;
}

}  // namespace stoker::wire::otlp
