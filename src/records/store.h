// The record store: request records in DuckDB, filled from the journal exactly once and asked by filter or by SQL.
//
// load() takes what the journal has after the last sequence that the database holds; rows and that sequence are
// committed in one transaction, so a crash anywhere repeats or loses nothing. Call it every 200 ms and before list():
// with nothing new it costs a lock. A damaged database is moved aside and filled again from the journal's oldest
// record. Tables and versions: docs/format/records.md.
//
// Thread-safe. Every call may take milliseconds to seconds: run it off the event loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "base/time.h"
#include "journal/journal.h"
#include "records/request_record.h"

namespace stoker::records {

inline constexpr const char* kConsumer = "records";  // The store's name as a consumer of the journal.

struct StoreOptions {
    config::Bytes memory_limit{512ull * 1024 * 1024};  // For DuckDB's buffers and queries together.
    std::int64_t threads = 2;
};

enum class SortBy : std::uint8_t { Time, Duration, Ttft, CompletionTokens };

// Empty fields select everything.
struct RequestFilter {
    std::optional<Timestamp> from{};  // Inclusive.
    std::optional<Timestamp> to{};    // Exclusive.
    std::string model{};
    std::string pool{};
    std::string replica{};
    std::string tenant{};
    std::string key_id{};
    std::string outcome{};
    std::string id{};
    std::string rule{};
    std::string split{};
    std::string arm{};
    std::string shadow{};              // Its copies; empty: what clients asked, and no copies.
    std::string text{};                // Part of id, model or error, in any case.
    std::optional<int> status_from{};  // Inclusive; "5xx" is 500..599.
    std::optional<int> status_to{};    // Inclusive.
    std::optional<bool> stream{};
    std::optional<Duration> min_duration{};
    SortBy sort = SortBy::Time;
    bool ascending = false;
    std::size_t limit = 100;
    std::size_t offset = 0;
    // A search for a text reads every row: with a budget it ends with what it has, the newest.
    std::optional<Duration> budget{};
};

struct RequestPage {
    std::vector<RequestRecord> requests;
    std::uint64_t total = 0;    // Matching the filter, whatever the limit; of what was searched.
    bool complete = true;       // Everything was searched that the filter asks for;
    Timestamp searched_from{};  // else what came since then.
};

struct SqlLimits {
    std::size_t max_rows = 1000;
    Duration timeout{10'000};
    std::size_t max_bytes = 32 * 1024 * 1024;  // Of the answer as JSON.
};

struct SqlColumn {
    std::string name;
    std::string type;  // As SQL names it: "BIGINT".
};

struct SqlResult {
    std::vector<SqlColumn> columns;
    std::vector<std::string> rows;  // Each one a JSON array.
    bool truncated = false;         // There were more rows than a limit allowed.
    Duration elapsed{0};
};

// {"columns":[{"name","type"}],"rows":[[...]],"truncated":false,"elapsed_ms":3}
std::string to_json(const SqlResult& result);

struct LoadCounts {
    std::uint64_t loaded = 0;         // Rows, since the store was opened.
    std::uint64_t skipped = 0;        // Records that could not be parsed.
    std::uint64_t last_sequence = 0;  // Of the journal, in the database.
};

class RecordStore {
public:
    // Opens or creates DIRECTORY/records.duckdb.
    static Result<std::unique_ptr<RecordStore>> open(const std::string& directory, StoreOptions options);
    virtual ~RecordStore() = default;

    // Loads everything that the journal held when it was called; returns the number of rows added.
    virtual Result<std::size_t> load(journal::Journal& journal) = 0;

    virtual Result<RequestPage> list(const RequestFilter& filter) = 0;
    // Errors: NotFound.
    virtual Result<RequestRecord> get(const std::string& id) = 0;

    // Answers one read-only statement (SELECT, WITH, EXPLAIN, DESCRIBE, SHOW) over table `requests`; it can reach
    // neither files nor network nor settings. Errors: InvalidArgument (not such a statement, or it fails),
    // DeadlineExceeded, ResourceExhausted (memory).
    virtual Result<SqlResult> sql(const std::string& query, const SqlLimits& limits) = 0;

    // Copies the database as it is now into a new folder that open() takes, durable when it returns. Loading waits
    // meanwhile, lists don't. Errors: Unavailable.
    virtual Result<Unit> copy_to(const std::string& directory) = 0;

    // Deletes requests received before `before`; returns how many.
    virtual Result<std::uint64_t> remove_before(Timestamp before) = 0;

    virtual LoadCounts counts() const = 0;
    // What had to be repaired, a sentence for the operator; empty if nothing.
    virtual std::string repaired() const = 0;
    virtual std::uint64_t bytes() const = 0;
};

}  // namespace stoker::records
