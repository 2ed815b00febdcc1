// Everything that keeps data, opened in order in one folder, with the jobs that look after it.
#pragma once

#include <memory>
#include <vector>

#include "api/services.h"
#include "app/config.h"
#include "app/data_folder.h"
#include "app/job.h"
#include "base/metrics.h"
#include "journal/journal.h"
#include "records/store.h"
#include "records/telemetry_store.h"
#include "state/state_store.h"
#include "tsdb/store.h"

namespace stoker::app {

struct Storage {
    std::unique_ptr<tsdb::Store> metrics;
    std::unique_ptr<journal::Journal> journal;
    std::unique_ptr<records::RecordStore> records;
    std::unique_ptr<records::TelemetryStore> telemetry;
    std::unique_ptr<state::StateStore> state;
    std::vector<std::unique_ptr<Job>> jobs;

    // Errors name the part that could not be opened.
    static Result<std::unique_ptr<Storage>> open(const DataFolder& folder, const Config& config,
                                                 metrics::Registry& registry);

    // Starts maintenance: sealing and retention of metrics, loading and retention of records, spans and logs,
    // retention of the journal.
    void start_jobs(const Config& config, metrics::Registry& registry);

    // Stops the jobs and loads what the journal still has.
    void stop();

    std::vector<api::ComponentHealth> health() const;
};

}  // namespace stoker::app
