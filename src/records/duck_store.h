// The record store over one DuckDB file.
//
// Three connections: one that loads (one load at a time), one that lists, and one made for each user statement. All of
// them are used under a shared hold of the database; replacing a damaged file takes it alone.
#pragma once

#include <atomic>
#include <shared_mutex>
#include <string>

#include "base/sync.h"
#include "records/duck.h"
#include "records/store.h"

namespace stoker::records {

class DuckStore final : public RecordStore {
public:
    DuckStore(std::string directory, StoreOptions options);

    // Opens the file, repairing what can be. Call once, before anything else.
    Result<Unit> start();

    Result<std::size_t> load(journal::Journal& journal) override;
    Result<RequestPage> list(const RequestFilter& filter) override;
    Result<RequestRecord> get(const std::string& id) override;
    Result<SqlResult> sql(const std::string& query, const SqlLimits& limits) override;
    Result<Unit> copy_to(const std::string& directory) override;
    Result<std::uint64_t> remove_before(Timestamp before) override;
    LoadCounts counts() const override;
    std::string repaired() const override;
    std::uint64_t bytes() const override;

private:
    std::string path() const;
    std::string log_path() const;  // DuckDB's write-ahead log.

    // Opening and repair (store_open.cc).
    Result<Unit> open_or_repair();
    Result<Unit> open_once();
    Result<Unit> move_aside(const std::string& file);
    void note_repair(std::string what);
    void close_all();
    // After an error that says the file is damaged: replaces it, so that the next load() fills the new one.
    void repair_after(const Error& error);

    // Loading (load.cc).
    struct Appended {
        std::size_t rows = 0;
        std::uint64_t skipped = 0;
    };
    Result<Unit> open_again();
    Result<std::size_t> load_all(journal::Journal& journal) REQUIRES_LOCK(load_mutex_);
    Result<Unit> follow_journal(journal::Journal& journal) REQUIRES_LOCK(load_mutex_);
    Result<std::size_t> load_some(journal::Journal& journal, std::uint64_t target) REQUIRES_LOCK(load_mutex_);
    static Result<Appended> append_records(duckdb_appender appender, const std::vector<journal::Record>& records);
    void commit_cursor(journal::Journal& journal) REQUIRES_LOCK(load_mutex_);

    // Runs `use` with the list connection, and repairs if it finds damage.
    template <typename F>
    auto with_list_connection(F use) -> decltype(use(std::declval<duck::Connection&>()));

    const std::string directory_;
    const StoreOptions options_;

    mutable std::shared_mutex hold_;  // Shared to use what stands below; alone to replace it.
    duck::DatabaseHandle database_;
    std::atomic<std::uint64_t> generation_{0};  // Grows with each replacement of the database.

    Mutex load_mutex_;
    duck::Connection loader_ GUARDED_BY(load_mutex_);
    std::string journal_identity_ GUARDED_BY(load_mutex_);
    std::uint64_t committed_cursor_ GUARDED_BY(load_mutex_) = 0;
    SteadyTime cursor_committed_at_ GUARDED_BY(load_mutex_);

    Mutex list_mutex_;
    duck::Connection lister_ GUARDED_BY(list_mutex_);

    std::atomic<std::uint64_t> last_sequence_{0};
    std::atomic<std::uint64_t> loaded_{0};
    std::atomic<std::uint64_t> skipped_{0};
    std::atomic<int> statements_{0};  // User statements that run now.

    mutable Mutex notes_mutex_;
    std::string repaired_ GUARDED_BY(notes_mutex_);
};

}  // namespace stoker::records
