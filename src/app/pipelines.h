// The ends that modules hand data to, connected: request records to the journal and the live pages, samples to the
// store.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alert/rule_manager.h"
#include "api/live.h"
#include "base/metrics.h"
#include "collect/sample_sink.h"
#include "gateway/record_sink.h"
#include "journal/journal.h"
#include "tsdb/store.h"

namespace stoker::app {

// Appends each record to the journal; on the loop that served the request. Thread-safe.
class RequestPipeline : public gateway::RecordSink {
public:
    RequestPipeline(journal::Journal& journal, api::Live& live, metrics::Registry& registry);
    void on_record(const records::RequestRecord& record) override;
    std::unique_ptr<gateway::RecordBatch> batch() override;

private:
    class Batch;
    void show(const records::RequestRecord& record, const std::string& json);
    void count_lost(std::size_t records, const Error& why);

    journal::Journal& journal_;
    api::Live& live_;
    metrics::Counter& lost_;
    // Pages get at most so many records a second; the list itself is complete.
    static constexpr int kMostLivePerSecond = 20;
    std::atomic<std::int64_t> second_{0};
    std::atomic<int> shown_{0};
};

// Samples of collectors and rules into the store, refusals counted. Thread-safe.
class SamplePipeline : public collect::SampleSink, public alert::SampleSink {
public:
    SamplePipeline(tsdb::Ingest& store, metrics::Registry& registry);
    void append(const std::vector<tsdb::SeriesSample>& samples) override;
    void append_exemplars(const std::vector<tsdb::SeriesExemplars>& exemplars) override;
    void set_metadata(const std::vector<tsdb::FamilyMetadata>& metadata) override;
    Result<Unit> write(const std::vector<tsdb::SeriesSample>& samples) override;

private:
    tsdb::Ingest& store_;
    metrics::Counter& out_of_order_;
    metrics::Counter& over_limit_;
    metrics::Counter& failed_;
};

}  // namespace stoker::app
