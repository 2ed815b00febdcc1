// The telemetry store over two journals and one DuckDB file.
#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/sync.h"
#include "journal/journal.h"
#include "records/duck.h"
#include "records/telemetry_store.h"

namespace stoker::records {

class DuckTelemetry final : public TelemetryStore {
public:
    DuckTelemetry(std::string directory, TelemetryOptions options, metrics::Registry& registry);

    // Opens everything, repairing what can be. Call once, before anything else.
    Result<Unit> start();

    Result<Unit> append(std::span<const SpanRow> spans, std::string_view marker) override;
    Result<Unit> append(std::span<const LogRow> logs) override;
    Result<std::size_t> load(Timestamp now) override;
    std::string marker() const override;
    Result<Unit> read(Duration limit, const std::function<Result<Unit>(duck::Connection&)>& use) override;
    Result<SqlResult> sql(const std::string& query, const SqlLimits& limits) override;
    Result<std::uint64_t> enforce_retention(Timestamp now) override;
    journal::Journal& span_journal() override { return *spans_.journal; }
    journal::Journal& log_journal() override { return *logs_.journal; }
    std::string repaired() const override;
    Result<Unit> health() const override;
    std::uint64_t bytes() const override;

private:
    // One kind of row: its journal, and how far it is loaded.
    struct Stream {
        const char* name;  // Of the table, too.
        std::unique_ptr<journal::Journal> journal;
        std::uint64_t loaded = 0;   // The last sequence that is in the database.
        std::uint64_t skipped = 0;  // Records that could not be parsed.
        std::uint64_t committed = 0;
        SteadyTime committed_at{};
        metrics::Counter* rows = nullptr;
        metrics::Counter* unreadable = nullptr;
    };

    std::string path() const { return directory_ + "/telemetry.duckdb"; }
    Result<Unit> open_or_repair();
    Result<Unit> open_once();
    void close_all();
    void repair_after(const Error& error);
    void note_repair(std::string what);

    // Loading (duck_telemetry_load.cc).
    Result<Unit> open_again();
    Result<std::size_t> load_logs() REQUIRES_LOCK(load_mutex_);
    Result<std::size_t> load_logs_once(std::uint64_t target) REQUIRES_LOCK(load_mutex_);
    Result<std::size_t> load_spans(Timestamp now) REQUIRES_LOCK(load_mutex_);
    Result<Unit> read_ahead(std::uint64_t target) REQUIRES_LOCK(load_mutex_);
    Result<Unit> store_decided(const TailSampler::Decided& decided) REQUIRES_LOCK(load_mutex_);
    Result<Unit> follow(Stream& stream) REQUIRES_LOCK(load_mutex_);
    Result<Unit> restore(Stream& stream) REQUIRES_LOCK(load_mutex_);
    Result<Unit> remember_traces(Timestamp now) REQUIRES_LOCK(load_mutex_);
    // Where the stream is from now on, in the transaction under way.
    Result<Unit> note_loaded(const Stream& stream, std::uint64_t sequence, std::uint64_t skipped)
        REQUIRES_LOCK(load_mutex_);
    static void commit_cursor(Stream& stream);

    template <typename F>
    auto with_connection(F use) -> decltype(use(std::declval<duck::Connection&>()));

    const std::string directory_;
    const TelemetryOptions options_;
    metrics::Counter& dropped_;
    metrics::Counter& kept_;

    mutable std::shared_mutex hold_;  // Shared to use what stands below; alone to replace it.
    duck::DatabaseHandle database_;
    std::atomic<std::uint64_t> generation_{0};  // Grows with each replacement of the database.

    Mutex load_mutex_;
    duck::Connection loader_ GUARDED_BY(load_mutex_);
    TailSampler sampler_ GUARDED_BY(load_mutex_);
    std::uint64_t read_ahead_ GUARDED_BY(load_mutex_) = 0;     // The last sequence that the sampler has.
    std::uint64_t ahead_skipped_ GUARDED_BY(load_mutex_) = 0;  // Records past `loaded` that could not be parsed.
    // The journals are constant after start(); how far they are loaded belongs to the lock.
    Stream spans_;
    Stream logs_;

    std::atomic<int> reading_{0};

    mutable Mutex notes_mutex_;
    std::string repaired_ GUARDED_BY(notes_mutex_);
    std::string marker_ GUARDED_BY(notes_mutex_);
};

}  // namespace stoker::records
