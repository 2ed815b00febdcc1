// Receives Prometheus remote write, 1.0 and 2.0, into the store.
//
// A request is decompressed, decoded into flat arrays and appended as one batch. Series seen before go by the ref that
// the SeriesCache keeps, so their labels are neither built nor looked up. Answers follow the specification: 204 when
// all was taken; 400 with the reasons when something never can be (the rest of the request is stored all the same:
// partial write); 503 when the store takes nothing now, the one case where sending again helps. Samples past a limit on
// series are refused with 400 too, because a sender that retried them would hold up the good ones behind them.
#pragma once

#include <memory>
#include <vector>

#include "base/metrics.h"
#include "base/sync.h"
#include "collect/push/push.h"
#include "collect/push/series_cache.h"
#include "net/http.h"
#include "tsdb/store.h"
#include "wire/remote_write.h"

namespace stoker::collect {

struct RemoteWriteReceiverOptions {
    std::size_t max_body_bytes = std::size_t{32} << 20;  // Decompressed.
    std::size_t max_labels = 256;                        // A series.
    wire::RemoteWriteLimits limits;
    SeriesCacheOptions cache;
};

// Thread-safe.
class RemoteWriteReceiver {
public:
    // REQUIRES: `store` and `registry` outlive the receiver.
    RemoteWriteReceiver(tsdb::Store& store, RemoteWriteReceiverOptions options, metrics::Registry& registry);
    ~RemoteWriteReceiver();

    net::Response receive(const PushRequest& request);

private:
    class Job;  // A request on its way; reused, so that its arrays keep their memory.
    struct Metrics;

    net::Response handle(const PushRequest& push, wire::RemoteWriteVersion version, Job& job);
    std::unique_ptr<Job> take_job();
    void give_back(std::unique_ptr<Job> job);

    tsdb::Store& store_;
    const RemoteWriteReceiverOptions options_;
    SeriesCache series_;
    SeriesCache described_;  // Metadata that the store has been told, by all of its text.
    std::unique_ptr<Metrics> metrics_;
    Mutex mutex_;
    std::vector<std::unique_ptr<Job>> idle_ GUARDED_BY(mutex_);
};

}  // namespace stoker::collect
