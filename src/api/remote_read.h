// Answers Prometheus' remote read from the store, so that a Prometheus queries what only Stoker has.
//
// Streams XOR chunks to senders that take them, and whole samples to the rest; series with native histograms are always
// sent as samples, for no other response carries them here. An answer is made in memory, within a bound.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "collect/push/push.h"
#include "net/http.h"
#include "tsdb/querier.h"
#include "wire/remote_read.h"

namespace stoker::api {

struct RemoteReadOptions {
    std::size_t max_body_bytes = std::size_t{1} << 20;        // Of the request, decompressed.
    std::size_t max_series = 200'000;                         // A query.
    std::size_t max_samples = 20'000'000;                     // A request.
    std::size_t max_response_bytes = std::size_t{256} << 20;  // Before compression.
    std::size_t frame_bytes = std::size_t{1} << 20;           // A frame of chunks ends when it is as long.
    wire::ReadLimits limits;
};

// Thread-safe.
class RemoteReader {
public:
    // REQUIRES: `querier` and `registry` outlive the reader.
    RemoteReader(const tsdb::Querier& querier, RemoteReadOptions options, metrics::Registry& registry);

    // POST /api/v1/read.
    net::Response read(const collect::PushRequest& request) const;

private:
    Result<net::Response> answer(const collect::PushRequest& request) const;

    const tsdb::Querier& querier_;
    const RemoteReadOptions options_;
    metrics::Family<metrics::Counter>& requests_;  // By status.
    metrics::Counter& bytes_;
};

}  // namespace stoker::api
