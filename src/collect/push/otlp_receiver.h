// Receives OTLP/HTTP metrics: POST /v1/metrics, and where Prometheus has it, /api/v1/otlp/v1/metrics.
//
// Answers as the OTLP specification says: 200, with partialSuccess when points were rejected; 400 with a
// google.rpc.Status when the body is no such request; 503 with Retry-After when the store takes nothing, the one case
// where sending again helps. In the encoding of the request, protobuf or JSON.
#pragma once

#include "base/metrics.h"
#include "base/sync.h"
#include "collect/push/otlp_convert.h"
#include "collect/push/otlp_deltas.h"
#include "collect/push/push.h"
#include "collect/push/push_support.h"
#include "net/http.h"
#include "tsdb/store.h"

namespace stoker::collect {

// Thread-safe. Requests with deltas go one after another, as each builds on what the one before has stored.
class OtlpReceiver {
public:
    // `history`, if not null, is what `store` fills: sums of deltas go on from there. REQUIRES: all outlive the
    // receiver.
    OtlpReceiver(tsdb::Ingest& store, OtlpOptions options, metrics::Registry& registry,
                 const tsdb::Querier* history = nullptr);

    net::Response receive(const PushRequest& request);

private:
    struct Rejected {
        std::size_t points = 0;
        std::string why;
    };

    net::Response handle(const PushRequest& request);
    Result<Rejected> take(wire::otlp::MetricsRequest request, Timestamp now);
    Result<Rejected> store(OtlpBatch batch);

    tsdb::Ingest& store_;
    const OtlpOptions options_;
    PushMetrics metrics_;
    MetadataFilter metadata_;
    metrics::Gauge& delta_series_;
    Mutex mutex_;
    OtlpDeltas deltas_ GUARDED_BY(mutex_);
};

}  // namespace stoker::collect
