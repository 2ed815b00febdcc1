// What the receivers of pushed samples share: reading the body, counting, and remembering which metadata is known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/sync.h"
#include "collect/push/push.h"
#include "tsdb/store.h"

namespace stoker::collect {

// The decompressed body. Errors: InvalidArgument (an encoding unknown or broken), ResourceExhausted (more than `most`).
Result<std::string> decoded_body(const PushRequest& request, std::size_t most);

// The first value of a parameter of the query, "" if there is none.
std::string_view param(const PushRequest& request, std::string_view name);

// HTTP for an error of a push: a body that is too large is 413, because sending it again won't help.
int push_status(const Error& error);
// An answer with JSON; 503 gets Retry-After.
net::Response json_response(int status, std::string body);

// "out_of_order: cpu{host="a"}: ..." for a sample that the store refused.
std::string explain(const tsdb::Refused& refused, const tsdb::Labels& labels);

// stoker_push_samples_total and stoker_push_requests_total of one protocol. Thread-safe.
class PushMetrics {
public:
    PushMetrics(metrics::Registry& registry, const std::string& protocol);

    void samples(std::size_t stored, std::size_t refused);
    net::Response answered(net::Response response);  // Counts it by its status.

private:
    metrics::Counter& stored_;
    metrics::Counter& refused_;
    metrics::Counter& ok_;
    metrics::Counter& client_error_;
    metrics::Counter& server_error_;
};

// Hands metadata to the store when it is new or has changed: senders repeat it with every request. Thread-safe.
class MetadataFilter {
public:
    explicit MetadataFilter(tsdb::Ingest& store) : store_(store) {}
    void set(std::vector<tsdb::FamilyMetadata> batch);

private:
    static constexpr std::size_t kMost = 50'000;

    tsdb::Ingest& store_;
    Mutex mutex_;
    std::unordered_map<std::string, std::size_t> known_ GUARDED_BY(mutex_);  // Hash of what the family was told to be.
};

}  // namespace stoker::collect
