// What the cache is made of. Thread-safe, each part by itself.
#pragma once

#include "base/snapshot.h"
#include "gateway/batch/batch.h"
#include "gateway/batch/batch_metrics.h"
#include "gateway/cache/answer_cache.h"
#include "gateway/cache/cache_metrics.h"
#include "gateway/cache/cache_options.h"
#include "gateway/cache/flight.h"
#include "gateway/cache/semantic_index.h"

namespace stoker::gateway {

struct CacheParts {
    explicit CacheParts(metrics::Registry& registry) : answers(registry), metrics(registry), batch_metrics(registry) {}

    Snapshot<CacheOptions> options;
    AnswerCache answers;
    Flights flights;
    SemanticIndex questions;
    CacheMetrics metrics;
    Batches batches;
    BatchMetrics batch_metrics;
};

}  // namespace stoker::gateway
