// Field numbers: opentelemetry-proto, trace/v1/trace.proto, logs/v1/logs.proto, common/v1/common.proto.
#include "wire/otlp_forward.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <protozero/pbf_writer.hpp>
#include <string_view>

namespace stoker::wire::otlp {
namespace {

using protozero::pbf_writer;
using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr int kMaxDepth = 32;  // Deeper values are left out; nobody sends them.
constexpr int kStatusError = 2;

std::string bytes_of(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        unsigned value = 0;
        std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
        bytes += static_cast<char>(value);
    }
    return bytes;
}

void write_string(pbf_writer& message, std::uint32_t field, std::string_view text) {
    message.add_string(field, text.data(), text.size());
}

void write_text_unless_empty(pbf_writer& message, std::uint32_t field, std::string_view text) {
    if (!text.empty()) write_string(message, field, text);
}

// The value as what its type says; the initial one if it is none.
template <typename T>
T as(element given) {
    T value{};
    return given.get(value) == simdjson::SUCCESS ? value : T{};
}

// An AnyValue.
void write_value(pbf_writer value, element given, int depth) {
    constexpr std::uint32_t kString = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5, kPairs = 6;
    switch (given.type()) {
        case element_type::STRING:
            return write_string(value, kString, as<std::string_view>(given));
        case element_type::BOOL:
            return value.add_bool(kBool, as<bool>(given));
        case element_type::INT64:
            return value.add_int64(kInt, as<std::int64_t>(given));
        case element_type::UINT64:  // Only what is too large for the one above.
            return value.add_double(kDouble, static_cast<double>(as<std::uint64_t>(given)));
        case element_type::DOUBLE:
            return value.add_double(kDouble, as<double>(given));
        case element_type::NULL_VALUE:
            return;
        case element_type::ARRAY: {
            pbf_writer list(value, kArray);
            simdjson::dom::array elements;
            if (depth >= kMaxDepth || given.get(elements) != simdjson::SUCCESS) return;
            for (const element one : elements) write_value(pbf_writer(list, 1), one, depth + 1);
            return;
        }
        case element_type::OBJECT: {
            pbf_writer list(value, kPairs);
            simdjson::dom::object members;
            if (depth >= kMaxDepth || given.get(members) != simdjson::SUCCESS) return;
            for (const auto& [key, one] : members) {
                pbf_writer pair(list, 1);
                write_string(pair, 1, key);
                write_value(pbf_writer(pair, 2), one, depth + 1);
            }
            return;
        }
    }
}

class Encoder {
public:
    explicit Encoder(const Attributes& everywhere) : everywhere_(everywhere) {}

    std::string spans(const std::map<ForwardedSource, std::vector<ForwardedSpan>>& all) {
        return request(all, [this](pbf_writer message, const ForwardedSpan& one) { span(message, one); });
    }
    std::string logs(const std::map<ForwardedSource, std::vector<ForwardedLog>>& all) {
        return request(all, [this](pbf_writer message, const ForwardedLog& one) { log(message, one); });
    }

private:
    // Traces and logs have the same frame: resources, scopes, and in those what there is.
    template <typename One, typename Write>
    std::string request(const std::map<ForwardedSource, std::vector<One>>& all, const Write& write) {
        std::string out;
        pbf_writer message(out);
        for (const auto& [source, list] : all) {
            pbf_writer of_resource(message, 1);
            resource(pbf_writer(of_resource, 1), source);
            pbf_writer of_scope(of_resource, 2);
            {
                pbf_writer scope(of_scope, 1);
                write_text_unless_empty(scope, 1, source.scope);
            }
            for (const One& one : list) write(pbf_writer(of_scope, 2), one);
        }
        return out;
    }

    void resource(pbf_writer message, const ForwardedSource& source) {
        simdjson::dom::object own;
        const bool any = object_of(source.resource, own);
        if (any) write_pairs(message, 1, own);
        const auto add = [&](std::string_view key, std::string_view text) {
            if (any && own[key].error() == simdjson::SUCCESS) return;
            pbf_writer pair(message, 1);
            write_string(pair, 1, key);
            pbf_writer value(pair, 2);
            write_string(value, 1, text);
        };
        if (!source.service.empty()) add("service.name", source.service);
        for (const auto& [key, text] : everywhere_) add(key, text);
    }

    void span(pbf_writer& message, const ForwardedSpan& one) {
        constexpr std::array<std::string_view, 6> kKinds = {"", "internal", "server", "client", "producer", "consumer"};
        write_string(message, 1, bytes_of(one.trace_id));
        write_string(message, 2, bytes_of(one.span_id));
        write_text_unless_empty(message, 4, bytes_of(one.parent_span_id));
        write_string(message, 5, one.name);
        const auto kind = std::find(kKinds.begin(), kKinds.end(), one.kind);
        message.add_enum(6, kind == kKinds.end() ? 1 : static_cast<std::int32_t>(kind - kKinds.begin()));
        message.add_fixed64(7, static_cast<std::uint64_t>(one.start_ns));
        message.add_fixed64(8, static_cast<std::uint64_t>(one.end_ns));
        attributes(message, 9, one.attributes);
        for (const auto& event : one.events) {
            pbf_writer told(message, 11);
            told.add_fixed64(1, static_cast<std::uint64_t>(event.time_ns));
            write_string(told, 2, event.name);
            attributes(told, 3, event.attributes);
        }
        for (const auto& link : one.links) {
            pbf_writer told(message, 13);
            write_string(told, 1, bytes_of(link.trace_id));
            write_string(told, 2, bytes_of(link.span_id));
            attributes(told, 4, link.attributes);
        }
        if (!one.error && one.status_message.empty()) return;
        pbf_writer status(message, 15);
        write_text_unless_empty(status, 2, one.status_message);
        if (one.error) status.add_enum(3, kStatusError);
    }

    void log(pbf_writer& message, const ForwardedLog& one) {
        message.add_fixed64(1, static_cast<std::uint64_t>(one.time_ns));
        if (one.severity > 0) message.add_enum(2, static_cast<std::int32_t>(one.severity));
        write_text_unless_empty(message, 3, one.severity_text);
        {
            pbf_writer body(message, 5);
            write_string(body, 1, one.body);
        }
        attributes(message, 6, one.attributes);
        attributes(message, 6, one.more);
        write_text_unless_empty(message, 9, bytes_of(one.trace_id));
        write_text_unless_empty(message, 10, bytes_of(one.span_id));
        if (one.observed_ns > 0) message.add_fixed64(11, static_cast<std::uint64_t>(one.observed_ns));
    }

    void attributes(pbf_writer& message, std::uint32_t field, std::string_view json) {
        simdjson::dom::object object;
        if (object_of(json, object)) write_pairs(message, field, object);
    }

    // Good until the next one.
    bool object_of(std::string_view json, simdjson::dom::object& object) {
        element parsed;
        return !json.empty() && parser_.parse(json.data(), json.size()).get(parsed) == simdjson::SUCCESS &&
               parsed.get(object) == simdjson::SUCCESS;
    }

    static void write_pairs(pbf_writer& message, std::uint32_t field, simdjson::dom::object object) {
        for (const auto& [key, value] : object) {
            pbf_writer pair(message, field);
            write_string(pair, 1, key);
            write_value(pbf_writer(pair, 2), value, 0);
        }
    }

    const Attributes& everywhere_;
    simdjson::dom::parser parser_;
};

}  // namespace

std::string encode_spans(const std::map<ForwardedSource, std::vector<ForwardedSpan>>& spans,
                         const Attributes& resource) {
    return Encoder(resource).spans(spans);
}

std::string encode_logs(const std::map<ForwardedSource, std::vector<ForwardedLog>>& logs, const Attributes& resource) {
    return Encoder(resource).logs(logs);
}

}  // namespace stoker::wire::otlp
