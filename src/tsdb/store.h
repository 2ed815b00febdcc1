// The metrics store: an in-memory head of compressed chunks over a write-ahead log, RocksDB beneath.
// Format: docs/format/tsdb.md.
//
// A batch that append() acknowledged survives SIGKILL; with Durability::Fsync, power loss. Samples older than the
// newest of their series are refused (a first cut: out-of-order ingestion comes with the full engine). Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "tsdb/labels.h"
#include "tsdb/querier.h"

namespace stoker::tsdb {

enum class Durability : std::uint8_t { Process, Fsync };

struct StoreOptions {
    Duration retention{15LL * 24 * 3600 * 1000};
    Durability durability = Durability::Process;
    std::size_t max_series = 5'000'000;                     // Past it, samples of new series are refused and counted.
    std::size_t block_cache_bytes = std::size_t{8} << 20;   // RocksDB's, for chunks that queries read.
    std::size_t write_buffer_bytes = std::size_t{8} << 20;  // RocksDB's memtables in all.
    std::size_t checkpoint_bytes = std::size_t{64} << 20;   // A log this long makes maintain() write a checkpoint.
    Duration checkpoint_interval{10LL * 60 * 1000};         // So does this long without one.
};

struct SeriesSample {
    Labels labels;
    Sample sample;
};

// Names a series of one Store for as long as it lives there; 0 is none.
using SeriesRef = std::uint64_t;

// A sample from a caller who sends the same series again and again (a scraper): with a ref, the labels are not looked
// at.
struct CachedSample {
    const Labels* labels = nullptr;
    Sample sample;
    SeriesRef ref = 0;  // In: 0, or what an earlier append_cached() left here. Out: the series' ref now; 0 if refused.
};

// What became of a batch: one bad item never spoils the rest.
struct AppendOutcome {
    std::size_t accepted = 0;
    std::size_t duplicates = 0;    // Same time, same value: ignored.
    std::size_t out_of_order = 0;  // Older than the series' newest, or same time with another value.
    std::size_t over_limit = 0;    // A new series past max_series.
};

struct StoreStats {
    std::size_t series = 0;
    std::uint64_t samples_appended = 0;
    std::uint64_t bytes_on_disk = 0;
    std::int64_t oldest_time = 0;
    std::int64_t newest_time = 0;
};

class Store : public Querier {
public:
    static Result<std::unique_ptr<Store>> open(const std::string& directory, StoreOptions options,
                                               metrics::Registry& registry);

    // Errors: Unavailable after a failed write (the store is read-only from then on; see health()).
    virtual Result<AppendOutcome> append(const std::vector<SeriesSample>& batch) = 0;

    // The same, for callers that keep refs. A ref whose series has gone meanwhile is looked up again by its labels.
    // REQUIRES: each `labels` points to the labels of that series.
    virtual Result<AppendOutcome> append_cached(std::vector<CachedSample>& batch) = 0;

    // Background work: seal chunks, move them to RocksDB, trim the log, drop what is past retention. Called every few
    // seconds by app; may take long, never blocks append() for more than milliseconds.
    virtual Result<Unit> maintain(Timestamp now) = 0;

    virtual StoreStats stats() const = 0;
    virtual Result<Unit> health() const = 0;
};

}  // namespace stoker::tsdb
