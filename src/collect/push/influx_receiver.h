// Receives InfluxDB's line protocol: POST /write (1.x) and /api/v2/write.
//
// A field becomes the series measurement_field with the tags as labels; strings are passed over and counted. Answers as
// InfluxDB does: 204; 400 naming the lines that were wrong, the others being stored; 413, 503 with Retry-After.
#pragma once

#include <string>

#include "base/metrics.h"
#include "collect/push/push.h"
#include "collect/push/push_support.h"
#include "collect/scrape/label_limits.h"
#include "net/http.h"
#include "tsdb/store.h"
#include "wire/influx.h"

namespace stoker::collect {

struct InfluxOptions {
    std::string database_label = "db";  // Has the value of ?db= or ?bucket=. Empty: none is added.
    std::string separator = "_";        // Between measurement and field.
    bool escape_names = true;           // Characters that PromQL would want quoted become underscores.
    std::size_t max_body_bytes = std::size_t{32} << 20;
    std::size_t max_samples = 2'000'000;  // Of one request: a byte of body must not cost a kilobyte of memory.
    wire::InfluxLimits limits;
    LabelLimits labels;
};

// Thread-safe.
class InfluxReceiver {
public:
    // REQUIRES: `store` and `registry` outlive the receiver.
    InfluxReceiver(tsdb::Ingest& store, InfluxOptions options, metrics::Registry& registry);

    net::Response receive(const PushRequest& request);

    // GET and HEAD /ping, which clients ask before they write.
    static net::Response ping();
    // Clients of InfluxDB 1 create their database before they write: there is nothing to do for that. Anything else is
    // refused, with a word on where to ask.
    static net::Response query(const std::vector<std::pair<std::string, std::string>>& params);

private:
    class Batch;
    net::Response handle(const PushRequest& request);

    tsdb::Ingest& store_;
    const InfluxOptions options_;
    PushMetrics metrics_;
    metrics::Counter& strings_;
};

}  // namespace stoker::collect
