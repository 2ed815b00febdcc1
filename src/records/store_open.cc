// Opening the record database, and what to do when it is damaged: the journal still has the records, so a file that
// can't be read is moved aside and a new one filled. First only the write-ahead log goes, as the main file alone is a
// consistent older state that the journal completes.
#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "base/log.h"
#include "records/duck_repair.h"
#include "records/duck_store.h"
#include "records/schema.h"

namespace stoker::records {

Result<std::unique_ptr<RecordStore>> RecordStore::open(const std::string& directory, StoreOptions options) {
    TRY_UNIT(ensure_directory(directory));
    auto store = std::make_unique<DuckStore>(directory, options);
    if (auto started = store->start(); !started)
        return std::move(started).error().context(fmt::format("open record store {}", directory));
    return std::unique_ptr<RecordStore>(std::move(store));
}

std::string DuckStore::path() const {
    return fmt::format("{}/records.duckdb", directory_);
}
std::string DuckStore::log_path() const {
    return fmt::format("{}/records.duckdb.wal", directory_);
}

Result<Unit> DuckStore::start() {
    std::unique_lock hold(hold_);
    return open_or_repair();
}

Result<Unit> DuckStore::open_or_repair() {
    return records::open_or_repair(
        path(), [this] { return open_once(); }, [this](std::string what) { note_repair(std::move(what)); });
}

Result<Unit> DuckStore::open_once() {
    close_all();
    const duck::Settings settings{.memory_limit = fmt::format("{}B", options_.memory_limit.count),
                                  .threads = options_.threads,
                                  .temp_directory = fmt::format("{}/records.tmp", directory_)};
    const auto open_all = [&]() -> Result<Unit> {
        MutexLock load_lock(load_mutex_);
        MutexLock list_lock(list_mutex_);
        TRY(database_, duck::open_database(path(), settings));
        TRY(loader_, duck::Connection::open(database_.get()));
        TRY(lister_, duck::Connection::open(database_.get()));
        TRY_UNIT(migrate(loader_));
        TRY(const auto identity, loader_.text("SELECT journal FROM loaded"));
        TRY(const auto sequence, loader_.integer("SELECT sequence FROM loaded"));
        TRY(const auto skipped, loader_.integer("SELECT skipped FROM loaded"));
        journal_identity_ = identity.value_or("");
        committed_cursor_ = 0;
        last_sequence_ = static_cast<std::uint64_t>(sequence.value_or(0));
        skipped_ = static_cast<std::uint64_t>(skipped.value_or(0));
        return Unit{};
    };
    auto opened = open_all();
    if (!opened) close_all();
    return opened;
}

void DuckStore::close_all() {
    MutexLock load_lock(load_mutex_);
    MutexLock list_lock(list_mutex_);
    loader_ = {};
    lister_ = {};
    database_.reset();
}

Result<Unit> DuckStore::move_aside(const std::string& file) {
    return move_damaged_aside(file, [this](std::string what) { note_repair(std::move(what)); });
}

void DuckStore::note_repair(std::string what) {
    log::warn("records: repaired", {{"what", what}});
    MutexLock lock(notes_mutex_);
    if (!repaired_.empty()) repaired_ += "; ";
    repaired_ += what;
}

void DuckStore::repair_after(const Error& error) {
    if (error.code != Errc::Corruption) return;
    const std::uint64_t seen = generation_.load();
    std::unique_lock hold(hold_);
    if (generation_.load() != seen) return;  // Somebody else did it.
    ++generation_;
    log::error("records: database damaged", {{"error", error.message}});
    close_all();
    // Opening it again may be all it takes (DuckDB gives up a database after a failed write); then the check on the way
    // in decides. What fails twice in the same place is found by open_or_repair or here the next time.
    auto opened = open_once();
    Result<Unit> readable = opened;
    if (opened) {
        MutexLock lock(load_mutex_);
        readable = loader_.run("SELECT count(*), max(length(attempts)), max(length(id)) FROM requests");
    }
    if (!readable && (readable.error().code == Errc::Corruption || readable.error().code == Errc::Internal)) {
        close_all();
        const std::string log_file = log_path();
        if (std::filesystem::exists(log_file)) (void)move_aside(log_file);
        (void)move_aside(path());
        opened = open_once();
    }
    if (!opened) log::error("records: repair failed", {{"error", opened.error().message}});
}

}  // namespace stoker::records
