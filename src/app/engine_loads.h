// What engines say of their load, picked out of their metrics on the way into the store and given to the gateway, whose
// balancing goes by it. docs/decisions/010-engine-load.md says why the scrape is enough.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "collect/sample_sink.h"
#include "gateway/balance/engine_load.h"

namespace stoker::app {

struct ReplicaLoadReport {
    std::string replica;  // As the gateway names it.
    gateway::EngineReport report;
    double activity_at = 0;  // The moment that report.activity is of, as the engine says it.
};

// The loads that a batch of samples speaks of, one for each label `replica`: the canonical requests running and waiting
// (all models of the engine together), their tokens, KV usage (the fullest) and the KV cache's size, and the LoRA
// adapters that vLLM's requests use. A replica without a number of requests is left out. `time` and `clock` are the
// present.
std::vector<ReplicaLoadReport> replica_loads(const std::vector<tsdb::SeriesSample>& samples, Timestamp time,
                                             SteadyTime clock);

// Passes everything on to `next` and each load to `report`, on the collector's loop. Thread-safe as far as both are.
class EngineLoads : public collect::SampleSink {
public:
    using Report = std::function<void(std::string_view replica, const gateway::EngineReport& report)>;

    // REQUIRES: `next` outlives it.
    EngineLoads(collect::SampleSink& next, Report report) : next_(next), report_(std::move(report)) {}

    void append(const std::vector<tsdb::SeriesSample>& samples) override;
    void append_exemplars(const std::vector<tsdb::SeriesExemplars>& exemplars) override;
    void set_metadata(const std::vector<tsdb::FamilyMetadata>& metadata) override;

private:
    collect::SampleSink& next_;
    const Report report_;
};

}  // namespace stoker::app
