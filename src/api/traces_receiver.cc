#include "api/traces_receiver.h"

#include "base/text.h"
#include "collect/push/otlp_answer.h"

namespace stoker::api {
namespace {

using collect::decoded_body;
using collect::OtlpAnswer;
using collect::push_status;
using collect::PushRequest;

bool is_protobuf(const PushRequest& request) {
    const std::string_view type = request.headers.get("content-type").value_or("");
    return equals_ignore_case(trim(type.substr(0, type.find(';'))), "application/x-protobuf");
}

}  // namespace

TracesReceiver::TracesReceiver(AppendSpans append, TracesOptions options, metrics::Registry& registry)
    : append_(std::move(append)),
      options_(std::move(options)),
      otlp_metrics_(registry, "otlp_traces"),
      zipkin_metrics_(registry, "zipkin"),
      spans_(registry.counter("stoker_push_spans_total", "Spans that came by push, by what became of them.",
                              {"protocol", "result"})) {}

net::Response TracesReceiver::receive_otlp(const PushRequest& request) {
    return otlp_metrics_.answered(handle_otlp(request));
}

net::Response TracesReceiver::receive_zipkin(const PushRequest& request) {
    return zipkin_metrics_.answered(handle_zipkin(request));
}

Result<ConvertedSpans> TracesReceiver::store(wire::SpansRequest request, const char* format) {
    ConvertedSpans converted = convert_spans(std::move(request), format, options_.limits);
    TRY_UNIT(append_(converted.rows));
    spans_.with({format, "stored"}).add(static_cast<double>(converted.rows.size()));
    spans_.with({format, "refused"}).add(static_cast<double>(converted.rejected));
    return converted;
}

net::Response TracesReceiver::handle_otlp(const PushRequest& request) {
    const OtlpAnswer answer(request);
    if (!answer.known()) return answer.unknown_type();
    auto body = decoded_body(request, options_.max_body_bytes);
    if (!body) return answer.failed(push_status(body.error()), body.error().message);
    auto parsed = answer.json() ? wire::parse_otlp_traces_json(*body, options_.decode)
                                : wire::parse_otlp_traces_protobuf(*body, options_.decode);
    if (!parsed) return answer.failed(push_status(parsed.error()), parsed.error().message);
    const auto stored = store(*std::move(parsed), "otlp");
    if (!stored) return answer.failed(503, stored.error().message);
    return answer.taken("rejectedSpans", stored->rejected, stored->why);
}

net::Response TracesReceiver::handle_zipkin(const PushRequest& request) {
    const auto failed = [](int status, const std::string& message) {
        return collect::json_response(status, R"({"error":)" + quote_json(message) + "}");
    };
    auto body = decoded_body(request, options_.max_body_bytes);
    if (!body) return failed(push_status(body.error()), body.error().message);
    auto parsed = is_protobuf(request) ? wire::parse_zipkin_protobuf(*body, options_.decode)
                                       : wire::parse_zipkin_json(*body, options_.decode);
    if (!parsed) return failed(push_status(parsed.error()), parsed.error().message);
    const auto stored = store(*std::move(parsed), "zipkin");
    if (!stored) return failed(503, stored.error().message);
    // Zipkin knows no partial success. Where nothing of it could be kept the sender is told.
    if (stored->rows.empty() && stored->rejected > 0) return failed(400, stored->why);
    return {202, {}, {}};
}

}  // namespace stoker::api
