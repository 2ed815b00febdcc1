// The telemetry store: spans and log lines, each in a journal of its own first and loaded from there into DuckDB.
//
// append() returns once the journal has the rows; they then survive SIGKILL. load() moves what is there into tables
// `spans` and `logs`: rows and the journal's sequence change in one transaction, so a crash anywhere repeats or loses
// nothing. Spans pass the tail sampler on that way; until its decision they wait in the journal. Call load() every
// second and before a query. A damaged database is moved aside and filled again with what the journals still have.
//
// Thread-safe. append() takes microseconds; every other call may take milliseconds to seconds: off the event loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/config.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "journal/journal.h"
#include "records/store.h"
#include "records/tail_sampler.h"
#include "records/telemetry.h"

namespace stoker::records {

namespace duck {
class Connection;
}

struct TelemetryOptions {
    config::Bytes memory_limit{256ull * 1024 * 1024};  // For DuckDB's buffers and queries together.
    std::int64_t threads = 2;
    Duration retention{7LL * 24 * 3600 * 1000};  // Of both tables.
    config::Bytes max_size{8ull << 30};          // Of the database; past it the oldest tenth goes.
    config::Bytes buffer{1ull << 30};            // Of each journal: what may wait to be loaded.
    SamplingOptions sampling;
};

class TelemetryStore {
public:
    // Opens or creates the journals and the database in `directory`. `registry` outlives it.
    static Result<std::unique_ptr<TelemetryStore>> open(const std::string& directory, TelemetryOptions options,
                                                        metrics::Registry& registry);
    virtual ~TelemetryStore() = default;

    // Errors: ResourceExhausted (a row beyond kMaxTelemetryRowBytes, the disk), Unavailable (after a failed write).
    // Nothing is kept then. `marker` is what marker() says after it.
    virtual Result<Unit> append(std::span<const SpanRow> spans, std::string_view marker = {}) = 0;
    virtual Result<Unit> append(std::span<const LogRow> logs) = 0;

    // Moves what the journals held when it was called, but spans that wait for a decision; the number of rows.
    virtual Result<std::size_t> load(Timestamp now) = 0;

    // The last marker that was appended, loaded or not; empty if there was none.
    virtual std::string marker() const = 0;

    // Runs `use` with a connection of its own that is interrupted after `limit`; loading goes on meanwhile.
    // Errors: those of `use`; DeadlineExceeded; ResourceExhausted while too many run.
    virtual Result<Unit> read(Duration limit, const std::function<Result<Unit>(duck::Connection&)>& use) = 0;

    // One read-only statement of a user over tables `spans` and `logs`, as RecordStore::sql().
    virtual Result<SqlResult> sql(const std::string& query, const SqlLimits& limits) = 0;

    // Deletes what is older than the retention, or too much.
    virtual Result<std::uint64_t> enforce_retention(Timestamp now) = 0;

    // What was appended, for readers that send it on; they hold it back no longer than `buffer` allows. Their payloads
    // are span_batch_from_json()'s and logs_from_json()'s. The store's own reader is called `telemetry`.
    virtual journal::Journal& span_journal() = 0;
    virtual journal::Journal& log_journal() = 0;

    // What had to be repaired, a sentence for the operator; empty if nothing.
    virtual std::string repaired() const = 0;
    virtual Result<Unit> health() const = 0;  // Why appends are refused.
    virtual std::uint64_t bytes() const = 0;  // Of the database, on disk.
};

}  // namespace stoker::records
