// From the journal into the database, each record exactly once: rows and the last sequence change in one transaction.
#include <fmt/format.h>

#include "base/log.h"
#include "records/disk_room.h"
#include "records/duck_store.h"
#include "records/schema.h"

namespace stoker::records {
namespace {

constexpr std::size_t kRowsPerTransaction = 100'000;  // About one of DuckDB's row groups.
constexpr std::chrono::seconds kCursorInterval{1};    // The cursor only serves retention, so it may lag.

}  // namespace

Result<std::size_t> DuckStore::load(journal::Journal& journal) {
    TRY_UNIT(open_again());
    auto result = [&]() -> Result<std::size_t> {
        std::shared_lock hold(hold_);
        MutexLock lock(load_mutex_);
        if (loader_.raw() == nullptr) return Error{Errc::Unavailable, "the record database is not open"};
        return load_all(journal);
    }();
    if (!result) repair_after(result.error());
    return result;
}

// After a repair that failed, as on a full disk.
Result<Unit> DuckStore::open_again() {
    {
        std::shared_lock hold(hold_);
        if (database_.get() != nullptr) return Unit{};
    }
    TRY_UNIT(room_to_write(directory_));
    std::unique_lock hold(hold_);
    return open_or_repair();
}

Result<std::size_t> DuckStore::load_all(journal::Journal& journal) {
    TRY_UNIT(follow_journal(journal));
    const std::uint64_t target = journal.next_sequence();
    std::size_t rows = 0;
    if (last_sequence_.load() + 1 < target) {
        // Else a loss of power could take records from the journal whose sequences the database has seen, and new
        // records with the same sequences would be taken for loaded. A journal that can't sync is refusing appends
        // anyway.
        if (auto synced = journal.sync(); !synced) log::debug("records: journal", {{"error", synced.error().message}});
    }
    while (last_sequence_.load() + 1 < target) {
        TRY(const std::size_t added, load_some(journal, target));
        rows += added;
    }
    commit_cursor(journal);
    return rows;
}

// Sequences mean something only within one journal.
Result<Unit> DuckStore::follow_journal(journal::Journal& journal) {
    const std::uint64_t last = last_sequence_.load();
    if (journal_identity_ == journal.identity()) {
        if (last + 1 > journal.next_sequence()) {
            log::error("records: the journal ends before what was loaded from it",
                       {{"loaded", last}, {"next", journal.next_sequence()}});
            last_sequence_ = journal.next_sequence() - 1;
        } else if (last + 1 < journal.first_sequence()) {
            log::error("records: the journal dropped records before they were loaded",
                       {{"from", last + 1}, {"to", journal.first_sequence() - 1}});
            last_sequence_ = journal.first_sequence() - 1;
        }
        return Unit{};
    }
    if (!journal_identity_.empty()) {
        log::warn("records: another journal than before", {{"was", journal_identity_}, {"is", journal.identity()}});
    }
    const std::uint64_t before_first = journal.first_sequence() - 1;
    TRY_UNIT(loader_.run("UPDATE loaded SET journal = ?, sequence = ?",
                         {journal.identity(), static_cast<std::int64_t>(before_first)}));
    journal_identity_ = journal.identity();
    last_sequence_ = before_first;
    return Unit{};
}

// One transaction of up to kRowsPerTransaction records below `target`.
Result<std::size_t> DuckStore::load_some(journal::Journal& journal, std::uint64_t target) {
    TRY_UNIT(room_to_write(directory_));
    TRY(auto transaction, duck::Transaction::begin(loader_, false));
    std::uint64_t next = last_sequence_.load() + 1;
    std::size_t rows = 0;
    std::uint64_t skipped = 0;
    {
        duck::AppenderHandle appender;
        if (duckdb_appender_create(loader_.raw(), nullptr, "requests", appender.out()) != DuckDBSuccess) {
            return duck::error_of(duckdb_appender_error(appender.get()));
        }
        while (next < target && rows < kRowsPerTransaction) {
            TRY(const auto records, journal.read(next, target - next));
            next = records.empty() ? target : records.back().sequence + 1;  // Empty: nothing readable is left below it.
            TRY(const Appended appended, append_records(appender.get(), records));
            rows += appended.rows;
            skipped += appended.skipped;
        }
        TRY_UNIT(duck::guarded([&]() -> Result<Unit> {
            if (duckdb_appender_close(appender.get()) == DuckDBSuccess) return Unit{};
            return duck::error_of(duckdb_appender_error(appender.get()));
        }));
    }
    TRY_UNIT(loader_.run("UPDATE loaded SET sequence = ?, skipped = ?",
                         {static_cast<std::int64_t>(next - 1), static_cast<std::int64_t>(skipped_.load() + skipped)}));
    TRY_UNIT(transaction.commit());
    last_sequence_ = next - 1;
    loaded_ += rows;
    skipped_ += skipped;
    return rows;
}

Result<DuckStore::Appended> DuckStore::append_records(duckdb_appender appender,
                                                      const std::vector<journal::Record>& records) {
    Appended appended;
    for (const journal::Record& record : records) {
        if (record.kind != journal::Kind::Request) continue;
        const auto request = request_record_from_json(record.payload);
        if (!request) {
            ++appended.skipped;
            log::error("records: skipped", {{"sequence", record.sequence}, {"error", request.error().message}});
            continue;
        }
        TRY_UNIT(duck::guarded([&] { return append_row(appender, record.sequence, *request); }));
        ++appended.rows;
    }
    return appended;
}

void DuckStore::commit_cursor(journal::Journal& journal) {
    const std::uint64_t next = last_sequence_.load() + 1;
    const SteadyTime time = std::chrono::steady_clock::now();
    if (next == committed_cursor_ || time - cursor_committed_at_ < kCursorInterval) return;
    cursor_committed_at_ = time;
    if (auto committed = journal.commit(kConsumer, next); !committed) {
        log::warn("records: cursor", {{"error", committed.error().message}});
        return;
    }
    committed_cursor_ = next;
}

}  // namespace stoker::records
