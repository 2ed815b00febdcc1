// What became of requests that went together. Thread-safe.
#pragma once

#include <cstddef>
#include <string>

#include "base/metrics.h"

namespace stoker::gateway {

class BatchMetrics {
public:
    explicit BatchMetrics(metrics::Registry& registry)
        : batches_(registry.counter("stoker_batches_total",
                                    "Requests to engines that were made of several clients' requests, by whether they "
                                    "were answered (ok) or not (failed).",
                                    {"model", "result"})),
          requests_(registry.counter("stoker_batched_requests_total",
                                     "Clients' requests that went to an engine together with others.", {"model"})) {}

    void count(const std::string& model, std::size_t requests, bool answered) {
        batches_.with({model, answered ? "ok" : "failed"}).add();
        requests_.with({model}).add(static_cast<double>(requests));
    }

private:
    metrics::Family<metrics::Counter>& batches_;
    metrics::Family<metrics::Counter>& requests_;
};

}  // namespace stoker::gateway
