#include "wire/otlp_spans.h"

#include <algorithm>
#include <charconv>
#include <protozero/pbf_writer.hpp>

#include "base/text.h"

namespace stoker::wire::otlp {
namespace {

using protozero::pbf_writer;

// Field numbers of opentelemetry/proto/trace/v1/trace.proto, common/v1 and resource/v1.
namespace field {
constexpr std::uint32_t kResourceSpans = 1;  // ExportTraceServiceRequest
constexpr std::uint32_t kResource = 1, kScopeSpans = 2;
constexpr std::uint32_t kResourceAttributes = 1;
constexpr std::uint32_t kScope = 1, kSpans = 2;
constexpr std::uint32_t kScopeName = 1, kScopeVersion = 2;
constexpr std::uint32_t kTraceId = 1, kSpanId = 2, kParentSpanId = 4, kName = 5, kKind = 6, kStart = 7, kEnd = 8,
                        kAttributes = 9, kStatus = 15;
constexpr std::uint32_t kStatusMessage = 2, kStatusCode = 3;
constexpr std::uint32_t kKey = 1, kValue = 2;
constexpr std::uint32_t kString = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5;
constexpr std::uint32_t kArrayValues = 1;
}  // namespace field

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

void write_value(pbf_writer value, const SpanValue& given) {
    if (const auto* text = std::get_if<std::string>(&given)) value.add_string(field::kString, *text);
    if (const auto* number = std::get_if<std::int64_t>(&given)) value.add_int64(field::kInt, *number);
    if (const auto* real = std::get_if<double>(&given)) value.add_double(field::kDouble, *real);
    if (const auto* flag = std::get_if<bool>(&given)) value.add_bool(field::kBool, *flag);
    if (const auto* texts = std::get_if<std::vector<std::string>>(&given)) {
        pbf_writer array(value, field::kArray);
        for (const std::string& text : *texts) {
            pbf_writer element(array, field::kArrayValues);
            element.add_string(field::kString, text);
        }
    }
}

void write_attributes(pbf_writer& message, std::uint32_t number, const SpanAttributes& attributes) {
    for (const auto& [key, value] : attributes) {
        pbf_writer attribute(message, number);
        attribute.add_string(field::kKey, key);
        write_value(pbf_writer(attribute, field::kValue), value);
    }
}

void write_span(pbf_writer message, const Span& span) {
    message.add_bytes(field::kTraceId, bytes_of(span.trace_id));
    message.add_bytes(field::kSpanId, bytes_of(span.span_id));
    if (!span.parent_span_id.empty()) message.add_bytes(field::kParentSpanId, bytes_of(span.parent_span_id));
    message.add_string(field::kName, span.name);
    message.add_enum(field::kKind, static_cast<int>(span.kind));
    message.add_fixed64(field::kStart, static_cast<std::uint64_t>(span.start_ns));
    message.add_fixed64(field::kEnd, static_cast<std::uint64_t>(span.end_ns));
    write_attributes(message, field::kAttributes, span.attributes);
    if (!span.failed) return;
    pbf_writer status(message, field::kStatus);
    if (!span.message.empty()) status.add_string(field::kStatusMessage, span.message);
    status.add_enum(field::kStatusCode, kStatusError);
}

std::string json_text(std::string_view text) {
    return R"({"stringValue":)" + quote_json(text) + "}";
}

std::string json_value(const SpanValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return json_text(*text);
    // 64-bit integers are strings in the protocol's JSON.
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return R"({"intValue":")" + std::to_string(*number) + "\"}";
    }
    if (const auto* real = std::get_if<double>(&value)) return R"({"doubleValue":)" + std::to_string(*real) + "}";
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? R"({"boolValue":true})" : R"({"boolValue":false})";
    std::vector<std::string> values;
    for (const std::string& text : std::get<std::vector<std::string>>(value)) values.push_back(json_text(text));
    return R"({"arrayValue":{"values":[)" + join(values, ",") + "]}}";
}

std::string json_attributes(const SpanAttributes& attributes) {
    std::vector<std::string> list;
    for (const auto& [key, value] : attributes) {
        list.push_back(R"({"key":)" + quote_json(key) + R"(,"value":)" + json_value(value) + "}");
    }
    return "[" + join(list, ",") + "]";
}

std::string json_span(const Span& span) {
    std::string json = R"({"traceId":)" + quote_json(span.trace_id) + R"(,"spanId":)" + quote_json(span.span_id);
    if (!span.parent_span_id.empty()) json += R"(,"parentSpanId":)" + quote_json(span.parent_span_id);
    json += R"(,"name":)" + quote_json(span.name) + R"(,"kind":)" + std::to_string(static_cast<int>(span.kind)) +
            R"(,"startTimeUnixNano":")" + std::to_string(span.start_ns) + R"(","endTimeUnixNano":")" +
            std::to_string(span.end_ns) + R"(","attributes":)" + json_attributes(span.attributes) + R"(,"status":{)";
    if (span.failed) json += R"("code":2,"message":)" + quote_json(span.message);
    return json + "}}";
}

}  // namespace

std::string encode_spans(const SpanSource& source, std::span<const Span> spans) {
    std::string request;
    pbf_writer message(request);
    {
        pbf_writer resource_spans(message, field::kResourceSpans);
        {
            pbf_writer resource(resource_spans, field::kResource);
            write_attributes(resource, field::kResourceAttributes, source.resource);
        }
        pbf_writer scope_spans(resource_spans, field::kScopeSpans);
        {
            pbf_writer scope(scope_spans, field::kScope);
            scope.add_string(field::kScopeName, source.scope);
            scope.add_string(field::kScopeVersion, source.version);
        }
        for (const Span& span : spans) write_span(pbf_writer(scope_spans, field::kSpans), span);
    }
    return request;
}

std::string spans_json(const SpanSource& source, std::span<const Span> spans) {
    std::vector<std::string> list;
    for (const Span& span : spans) list.push_back(json_span(span));
    return R"({"resourceSpans":[{"resource":{"attributes":)" + json_attributes(source.resource) +
           R"(},"scopeSpans":[{"scope":{"name":)" + quote_json(source.scope) + R"(,"version":)" +
           quote_json(source.version) + R"(},"spans":[)" + join(list, ",") + "]}]}]}";
}

}  // namespace stoker::wire::otlp
