// Everything that Stoker ingests, to its store and on to the receivers of `remote_write`, `export` and `kafka`.
//
// The store comes first: what it refuses to take at all is not sent on either. Thread-safe.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/config.h"
#include "app/data_folder.h"
#include "base/metrics.h"
#include "collect/push/push.h"
#include "collect/send/remote_write_sender.h"
#include "outward/sample_queue.h"
#include "tsdb/store.h"

namespace stoker::app {

class Forwarding : public tsdb::Ingest {
public:
    // A sender for each entry of `remote_write`, with its queue in the data folder. Errors name the entry.
    // REQUIRES: all outlive it.
    static Result<std::unique_ptr<Forwarding>> open(const Config& config, const DataFolder& folder, tsdb::Store& store,
                                                    boost::asio::io_context& loop, boost::asio::thread_pool& pool,
                                                    metrics::Registry& registry);

    Result<tsdb::AppendOutcome> append(const std::vector<tsdb::SeriesSample>& batch) override;
    Result<std::size_t> append_exemplars(const std::vector<tsdb::SeriesExemplars>& batch) override;
    void set_metadata(const std::vector<tsdb::FamilyMetadata>& batch) override;
    // A remote-write request, if the store has taken it or some of it.
    void pass_on(const collect::PushRequest& request, const net::Response& answer);

    // Further queues that get everything. REQUIRES: before anything is ingested; they outlive this.
    void add_queues(std::vector<outward::SampleQueue*> queues) { queues_ = std::move(queues); }

    void start();
    void stop(Duration limit);

private:
    explicit Forwarding(tsdb::Store& store) : store_(store) {}

    tsdb::Store& store_;
    std::vector<std::unique_ptr<collect::RemoteWriteSender>> senders_;
    std::vector<outward::SampleQueue*> queues_;
};

}  // namespace stoker::app
