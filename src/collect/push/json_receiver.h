// Receives batches of JSON from home-grown agents: POST /api/v1/metrics/batch (wire/json_metrics.h has the format).
//
// 200 with {"accepted": samples, "rejected": [{"index": item, "error": "..."}]} whenever the body could be read: agents
// send a batch again when they get anything else, and what was wrong with an item will be wrong again. 400 for a body
// that is no such batch, 413 for one that is too large, 503 with Retry-After when the store takes nothing.
#pragma once

#include <utility>
#include <vector>

#include "base/metrics.h"
#include "collect/push/push.h"
#include "collect/push/push_support.h"
#include "collect/scrape/label_limits.h"
#include "net/http.h"
#include "tsdb/store.h"
#include "wire/json_metrics.h"

namespace stoker::collect {

struct JsonOptions {
    std::vector<tsdb::Labels::Pair> labels;  // Of everything that comes this way; what a document says wins.
    std::size_t max_body_bytes = std::size_t{16} << 20;
    std::size_t max_samples = 500'000;  // Of one request.
    wire::JsonMetricsLimits limits;
    LabelLimits label_limits;
};

// Thread-safe.
class JsonReceiver {
public:
    // REQUIRES: `store` and `registry` outlive the receiver.
    JsonReceiver(tsdb::Ingest& store, JsonOptions options, metrics::Registry& registry);

    net::Response receive(const PushRequest& request);

private:
    net::Response handle(const PushRequest& request);

    tsdb::Ingest& store_;
    const JsonOptions options_;
    PushMetrics metrics_;
};

}  // namespace stoker::collect
