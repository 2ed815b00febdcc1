// Field numbers: opentelemetry-proto, common/v1/common.proto.
#include "wire/otlp_value_protobuf.h"

#include "base/text.h"

namespace stoker::wire::otlp::internal {

using protozero::pbf_reader;

void ProtobufValues::attribute(pbf_reader message, Attributes& out) {
    auto& [key, value] = budget_.add(out);
    while (message.next()) {
        switch (message.tag_and_type()) {
            case bytes_field(1):
                text(message, key);
                break;
            case bytes_field(2):
                budget_.set(value, any_value(message.get_message(), 0));
                break;
            default:
                message.skip();
        }
    }
}

std::string ProtobufValues::any_value(pbf_reader message, int depth) {
    if (depth > kMaxValueDepth) throw Malformed{"an attribute's lists are nested too deeply"};
    std::string out = depth > 0 ? "null" : "";
    while (message.next()) {
        switch (message.tag_and_type()) {
            case bytes_field(1):
                out = depth > 0 ? quote_json(text_of(message)) : std::string(text_of(message));
                break;
            case varint_field(2):
                out = message.get_bool() ? "true" : "false";
                break;
            case varint_field(3):
                out = std::to_string(message.get_int64());
                break;
            case fixed64_field(4):
                out = (depth > 0 ? internal::double_json : internal::double_text)(message.get_double());
                break;
            case bytes_field(5):
                out = "[" + elements(message.get_message(), false, depth) + "]";
                break;
            case bytes_field(6):
                out = "{" + elements(message.get_message(), true, depth) + "}";
                break;
            case bytes_field(7):
                out = internal::base64(text_of(message));
                if (depth > 0) out = quote_json(out);
                break;
            default:
                message.skip();
        }
    }
    return out;
}

std::string ProtobufValues::elements(pbf_reader list, bool keyed, int depth) {
    std::string out;
    while (list.next()) {
        if (list.tag_and_type() != bytes_field(1)) {
            list.skip();
            continue;
        }
        if (!out.empty()) out += ',';
        out += keyed ? member(list.get_message(), depth) : any_value(list.get_message(), depth + 1);
    }
    budget_.take(out.size());
    return out;
}

std::string ProtobufValues::member(pbf_reader message, int depth) {
    std::string key;
    std::string value = "null";
    while (message.next()) {
        switch (message.tag_and_type()) {
            case bytes_field(1):
                key = text_of(message);
                break;
            case bytes_field(2):
                value = any_value(message.get_message(), depth + 1);
                break;
            default:
                message.skip();
        }
    }
    return quote_json(key) + ":" + value;
}

}  // namespace stoker::wire::otlp::internal
