// Zipkin v2: zipkin.io/zipkin-api (zipkin2-api.yaml, zipkin.proto). Times are microseconds; everything but the ids may
// be missing. What OpenTelemetry has a place for goes there, by its Zipkin compatibility rules: an annotation is an
// event, a tag `error` makes the span failed, tags `otel.status_code` and `otel.scope.name` mean what they say.
#include <simdjson.h>

#include <protozero/pbf_reader.hpp>

#include "base/text.h"
#include "wire/otlp_value_json.h"
#include "wire/otlp_value_protobuf.h"
#include "wire/received_spans.h"

namespace stoker::wire {
namespace {

using otlp::internal::Budget;
using protozero::pbf_reader;
using simdjson::dom::element;

constexpr std::uint64_t kNanosPerMicro = 1000;

struct Endpoint {
    std::string service;
    std::string address;
    std::int64_t port = 0;
};

// A span in Zipkin's words.
struct ZipkinSpan {
    std::string trace_id;
    std::string id;
    std::string parent_id;
    std::string name;
    ReceivedKind kind = ReceivedKind::Internal;
    std::uint64_t timestamp = 0;
    std::uint64_t duration = 0;
    Endpoint local;
    Endpoint remote;
    std::vector<std::pair<std::uint64_t, std::string>> annotations;
    std::vector<std::pair<std::string, std::string>> tags;
    bool shared = false;  // The server's half of a span whose id the client made.
};

// Hex digits, with zeros before them to `length`; empty if it is no such id, or zero.
std::string whole_id(std::string_view given, std::size_t length) {
    if (given.empty() || given.size() > length ||
        given.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos ||
        given.find_first_not_of('0') == std::string_view::npos) {
        return {};
    }
    return std::string(length - given.size(), '0') + to_lower(given);
}

std::uint64_t nanos(std::uint64_t micros) {
    constexpr std::uint64_t kMost = UINT64_MAX / kNanosPerMicro;
    return micros > kMost ? UINT64_MAX : micros * kNanosPerMicro;
}

void add_endpoint(const char* address_key, const char* port_key, const Endpoint& endpoint, JsonAttributes& out) {
    if (!endpoint.address.empty()) out.emplace_back(address_key, quote_json(endpoint.address));
    if (endpoint.port > 0) out.emplace_back(port_key, std::to_string(endpoint.port));
}

void add_tag(const std::string& key, const std::string& value, ReceivedSpan& span, SpanGroup& group) {
    if (key == "otel.scope.name" || key == "otel.library.name") group.scope = value;
    if (key == "otel.status_code") span.error = span.error || value == "ERROR";
    if (key == "otel.status_description") span.status_message = value;
    // Zipkin: that the tag is there says that the span failed; what it says is for people.
    if (key == "error") {
        span.error = true;
        if (span.status_message.empty()) span.status_message = value;
    }
    span.attributes.emplace_back(key, quote_json(value));
}

void convert(const ZipkinSpan& given, SpansRequest& out, Budget& budget) {
    // A group for each: what goes into its resource differs from span to span.
    SpanGroup& group = budget.add(out.groups);
    if (!given.local.service.empty()) group.resource.emplace_back("service.name", quote_json(given.local.service));
    add_endpoint("host.ip", "service.port", given.local, group.resource);
    ReceivedSpan& span = budget.add(group.spans);
    span.trace_id = whole_id(given.trace_id, 32);
    span.span_id = whole_id(given.id, 16);
    span.parent_span_id = whole_id(given.parent_id, 16);
    span.name = given.name;
    span.kind = given.kind;
    span.start = nanos(given.timestamp);
    const std::uint64_t duration = nanos(given.duration);
    span.end = span.start > UINT64_MAX - duration ? UINT64_MAX : span.start + duration;
    if (!given.remote.service.empty()) span.attributes.emplace_back("peer.service", quote_json(given.remote.service));
    add_endpoint("network.peer.address", "network.peer.port", given.remote, span.attributes);
    for (const auto& [key, value] : given.tags) add_tag(key, value, span, group);
    if (given.shared) span.attributes.emplace_back("zipkin.shared", "true");
    for (const auto& [time, name] : given.annotations) span.events.push_back({nanos(time), name, {}});
}

class JsonDecoder : private otlp::internal::JsonValues {
public:
    using JsonValues::JsonValues;

    void request(element root, SpansRequest& out) {
        each(root, [&](element one) {
            ZipkinSpan span;
            read(one, span);
            convert(span, out, budget_);
        });
    }

private:
    void read(element object, ZipkinSpan& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "traceId") text(value, out.trace_id);
            if (key == "id") text(value, out.id);
            if (key == "parentId") text(value, out.parent_id);
            if (key == "name") text(value, out.name);
            if (key == "kind") out.kind = kind_of(string_of(value));
            if (key == "timestamp") out.timestamp = integer_of<std::uint64_t>(value);
            if (key == "duration") out.duration = integer_of<std::uint64_t>(value);
            if (key == "localEndpoint") endpoint(value, out.local);
            if (key == "remoteEndpoint") endpoint(value, out.remote);
            if (key == "shared") out.shared = bool_of(value);
            if (key == "annotations") each(value, [&](element one) { annotation(one, out); });
            if (key == "tags") {
                members(value, [&](std::string_view name, element of) {
                    auto& tag = budget_.add(out.tags);
                    budget_.set(tag.first, name);
                    text(of, tag.second);
                });
            }
        });
    }

    void endpoint(element object, Endpoint& out) {
        members(object, [&](std::string_view key, element value) {
            if (key == "serviceName") text(value, out.service);
            if (key == "ipv4" || (key == "ipv6" && out.address.empty())) text(value, out.address);
            if (key == "port") out.port = integer_of<std::int64_t>(value);
        });
    }

    void annotation(element object, ZipkinSpan& out) {
        auto& annotation = budget_.add(out.annotations);
        members(object, [&](std::string_view key, element value) {
            if (key == "timestamp") annotation.first = integer_of<std::uint64_t>(value);
            if (key == "value") text(value, annotation.second);
        });
    }

    static ReceivedKind kind_of(std::string_view name) {
        if (name == "SERVER") return ReceivedKind::Server;
        if (name == "CLIENT") return ReceivedKind::Client;
        if (name == "PRODUCER") return ReceivedKind::Producer;
        if (name == "CONSUMER") return ReceivedKind::Consumer;
        return ReceivedKind::Internal;
    }
};

// zipkin.proto, package zipkin.proto3.
class ProtobufDecoder : private otlp::internal::ProtobufValues {
public:
    using ProtobufValues::ProtobufValues;

    void request(pbf_reader message, SpansRequest& out) {
        while (message.next()) {
            if (message.tag_and_type() != bytes_field(1)) {
                message.skip();
                continue;
            }
            ZipkinSpan span;
            read(message.get_message(), span);
            convert(span, out, budget_);
        }
    }

private:
    void read(pbf_reader message, ZipkinSpan& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    budget_.set(out.trace_id, otlp::internal::id_text(text_of(message)));
                    break;
                case bytes_field(2):
                    budget_.set(out.parent_id, otlp::internal::id_text(text_of(message)));
                    break;
                case bytes_field(3):
                    budget_.set(out.id, otlp::internal::id_text(text_of(message)));
                    break;
                case varint_field(4):
                    out.kind = kind_of(message.get_enum());
                    break;
                case bytes_field(5):
                    text(message, out.name);
                    break;
                case fixed64_field(6):
                    out.timestamp = message.get_fixed64();
                    break;
                case varint_field(7):
                    out.duration = message.get_uint64();
                    break;
                case bytes_field(8):
                    endpoint(message.get_message(), out.local);
                    break;
                case bytes_field(9):
                    endpoint(message.get_message(), out.remote);
                    break;
                case bytes_field(10):
                    annotation(message.get_message(), out);
                    break;
                case bytes_field(11):
                    tag(message.get_message(), budget_.add(out.tags));
                    break;
                case varint_field(13):
                    out.shared = message.get_bool();
                    break;
                default:
                    message.skip();
            }
        }
    }

    void endpoint(pbf_reader message, Endpoint& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    text(message, out.service);
                    break;
                case bytes_field(2): {
                    const std::string_view bytes = text_of(message);
                    if (bytes.size() != 4) break;
                    for (const char byte : bytes) {
                        if (!out.address.empty()) out.address += '.';
                        out.address += std::to_string(static_cast<unsigned char>(byte));
                    }
                    break;
                }
                case varint_field(4):
                    out.port = message.get_int32();
                    break;
                default:
                    message.skip();
            }
        }
    }

    void annotation(pbf_reader message, ZipkinSpan& out) {
        auto& annotation = budget_.add(out.annotations);
        while (message.next()) {
            switch (message.tag_and_type()) {
                case fixed64_field(1):
                    annotation.first = message.get_fixed64();
                    break;
                case bytes_field(2):
                    text(message, annotation.second);
                    break;
                default:
                    message.skip();
            }
        }
    }

    void tag(pbf_reader message, std::pair<std::string, std::string>& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    text(message, out.first);
                    break;
                case bytes_field(2):
                    text(message, out.second);
                    break;
                default:
                    message.skip();
            }
        }
    }

    static ReceivedKind kind_of(std::int32_t number) {
        constexpr ReceivedKind kKinds[] = {ReceivedKind::Internal, ReceivedKind::Client, ReceivedKind::Server,
                                           ReceivedKind::Producer, ReceivedKind::Consumer};
        return number >= 0 && number <= 4 ? kKinds[number] : ReceivedKind::Internal;
    }
};

}  // namespace

Result<SpansRequest> parse_zipkin_json(std::string_view body, const otlp::Limits& limits) {
    simdjson::dom::parser parser;
    element root;
    if (const auto error = parser.parse(body.data(), body.size()).get(root)) {
        return Error{Errc::InvalidArgument, "Zipkin spans: not JSON: " + std::string(simdjson::error_message(error))};
    }
    SpansRequest out;
    TRY_UNIT(guarded("Zipkin spans", [&] { JsonDecoder(limits).request(root, out); }));
    return out;
}

Result<SpansRequest> parse_zipkin_protobuf(std::string_view body, const otlp::Limits& limits) {
    SpansRequest out;
    TRY_UNIT(guarded("Zipkin spans", [&] { ProtobufDecoder(limits).request(reader_of(body), out); }));
    return out;
}

}  // namespace stoker::wire
