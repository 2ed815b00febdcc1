// Receives spans: OTLP/HTTP (POST /v1/traces) and Zipkin v2 (POST /api/v2/spans).
//
// OTLP is answered as its specification says: 200, with partialSuccess when spans were rejected; 400 with a
// google.rpc.Status when the body is no such request; 503 with Retry-After when the store takes nothing, the one case
// where sending again helps. Zipkin is answered 202, 400 or 503. A success means that the spans survive SIGKILL.
#pragma once

#include <functional>
#include <span>

#include "api/span_convert.h"
#include "base/metrics.h"
#include "base/result.h"
#include "collect/push/push.h"
#include "collect/push/push_support.h"
#include "net/http.h"
#include "records/telemetry.h"

namespace stoker::api {

struct TracesOptions {
    std::size_t max_body_bytes = std::size_t{32} << 20;  // Decompressed.
    SpanLimits limits;
    wire::otlp::Limits decode;
};

// Keeps spans for good. Errors: ResourceExhausted, Unavailable.
using AppendSpans = std::function<Result<Unit>(std::span<const records::SpanRow>)>;

// Thread-safe.
class TracesReceiver {
public:
    // REQUIRES: `registry`, and what `append` uses, outlive the receiver.
    TracesReceiver(AppendSpans append, TracesOptions options, metrics::Registry& registry);

    net::Response receive_otlp(const collect::PushRequest& request);
    net::Response receive_zipkin(const collect::PushRequest& request);

private:
    net::Response handle_otlp(const collect::PushRequest& request);
    net::Response handle_zipkin(const collect::PushRequest& request);
    Result<ConvertedSpans> store(wire::SpansRequest request, const char* format);

    const AppendSpans append_;
    const TracesOptions options_;
    collect::PushMetrics otlp_metrics_;
    collect::PushMetrics zipkin_metrics_;
    metrics::Family<metrics::Counter>& spans_;
};

}  // namespace stoker::api
