#include "app/storage.h"

#include <malloc.h>

#include <thread>

#include "app/config_convert.h"
#include "base/log.h"
#include "base/retention_clock.h"

namespace stoker::app {
namespace {

constexpr Duration kMaintainMetrics{5'000};
constexpr Duration kLoadRecords{200};
constexpr Duration kLoadTelemetry{250};
constexpr std::size_t kManyRecords = 200;  // Loaded at once: a thousand requests a second.
constexpr int kPauseLoading = 4;           // Turns left out after that many.
constexpr Duration kSettle{1'500};  // What the metrics store may do for a quick start and a small disk when it stops.
constexpr Duration kReturnMemory{30'000};
constexpr Duration kRetention{10LL * 60 * 1000};

void log_if_failed(const char* what, const Error& error) {
    log::error("storage job failed", {{"job", what}, {"error", error.message}});
}

}  // namespace

Result<std::unique_ptr<Storage>> Storage::open(const DataFolder& folder, const Config& config,
                                               metrics::Registry& registry) {
    auto storage = std::make_unique<Storage>();
    auto metrics = tsdb::Store::open(folder.at("tsdb"), metrics_options(config), registry);
    if (!metrics) return std::move(metrics).error().context("open the metrics store");
    storage->metrics = *std::move(metrics);
    const auto stored = storage->metrics->stats();
    retention_stored_until(stored.series > 0 ? from_millis(stored.newest_time) : now());

    auto journal = journal::Journal::open(folder.at("journal"), journal_options(config));
    if (!journal) return std::move(journal).error().context("open the journal");
    storage->journal = *std::move(journal);
    for (const auto& damage : storage->journal->damage()) {
        log::warn("journal was damaged",
                  {{"segment", damage.segment}, {"offset", damage.offset}, {"what", damage.what}});
    }

    // DuckDB's own threads inherit the priority of the thread that opens it.
    Result<std::unique_ptr<records::RecordStore>> records;
    Result<std::unique_ptr<records::TelemetryStore>> telemetry;
    std::thread opener([&] {
        yield_to_traffic();
        records = records::RecordStore::open(folder.at("records"), records_options(config));
        telemetry = records::TelemetryStore::open(folder.at("telemetry"), telemetry_options(config), registry);
    });
    opener.join();
    if (!records) return std::move(records).error().context("open the record store");
    storage->records = *std::move(records);
    if (!telemetry) return std::move(telemetry).error();
    storage->telemetry = *std::move(telemetry);
    if (!storage->telemetry->repaired().empty())
        log::warn("telemetry store was repaired", {{"what", storage->telemetry->repaired()}});
    if (!storage->records->repaired().empty())
        log::warn("record store was repaired", {{"what", storage->records->repaired()}});

    auto state = state::StateStore::open(folder.at("state.sqlite"));
    if (!state) return std::move(state).error().context("open the state store");
    storage->state = *std::move(state);
    return storage;
}

void Storage::start_jobs(const Config& config, metrics::Registry& registry) {
    auto maintain = [this] {
        auto done = metrics->maintain(now(), retention_now());
        if (!done) log_if_failed("maintain metrics", done.error());
    };
    // Under load there is always something to take; then fewer and larger transactions cost less a record.
    auto load = [this, pause = 0]() mutable {
        if (pause > 0) {
            --pause;
            return;
        }
        if (!journal->health()) journal->enforce_retention(retention_now());  // It may go on meanwhile.
        auto loaded = records->load(*journal);
        if (!loaded) return log_if_failed("load records", loaded.error());
        if (*loaded >= kManyRecords) pause = kPauseLoading;
    };
    auto load_telemetry = [this] {
        auto loaded = telemetry->load(now());
        if (!loaded) log_if_failed("load telemetry", loaded.error());
    };
    auto retain = [this, keep = config.storage.records.retention] {
        const Timestamp age_now = retention_now();
        journal->enforce_retention(age_now);
        auto removed = records->remove_before(age_now - keep);
        if (!removed) log_if_failed("retain records", removed.error());
        auto old = telemetry->enforce_retention(age_now);
        if (!old) log_if_failed("retain telemetry", old.error());
    };
    jobs.push_back(std::make_unique<Job>("maintain_metrics", kMaintainMetrics, maintain, registry));
    jobs.push_back(std::make_unique<Job>("load_records", kLoadRecords, load, registry));
    jobs.push_back(std::make_unique<Job>("load_telemetry", kLoadTelemetry, load_telemetry, registry));
    jobs.push_back(std::make_unique<Job>("retention", kRetention, retain, registry));
    // What a large query or a burst of new series took goes back to the system; glibc's malloc alone would keep it.
    jobs.push_back(std::make_unique<Job>(
        "return_memory", kReturnMemory, [] { ::malloc_trim(0); }, registry));
}

void Storage::stop() {
    for (auto& job : jobs) job->stop();
    auto loaded = records->load(*journal);
    if (!loaded) log_if_failed("load records", loaded.error());
    auto kept = telemetry->load(now());
    if (!kept) log_if_failed("load telemetry", kept.error());
    auto settled = metrics->settle(now(), kSettle);
    if (!settled) log_if_failed("settle metrics", settled.error());
}

std::vector<api::ComponentHealth> Storage::health() const {
    return {{"metrics", metrics->health()},
            {"journal", journal->health()},
            {"telemetry", telemetry->health()},
            {"state", state->health()}};
}

}  // namespace stoker::app
