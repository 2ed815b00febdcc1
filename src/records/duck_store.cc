#include "records/duck_store.h"

#include <filesystem>

#include "base/file.h"
#include "base/log.h"
#include "records/request_query.h"
#include "records/sql_query.h"

namespace stoker::records {
namespace {

constexpr int kMostStatements = 4;  // User statements at a time: they share one memory limit.
constexpr std::int64_t kRowsPerDelete = 200'000;

std::uint64_t size_of(const std::string& file) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    return error ? 0 : size;
}

Error not_open() {
    return {Errc::Unavailable, "the record database is not open; the log says why"};
}

}  // namespace

DuckStore::DuckStore(std::string directory, StoreOptions options)
    : directory_(std::move(directory)), options_(options) {}

template <typename F>
auto DuckStore::with_list_connection(F use) -> decltype(use(std::declval<duck::Connection&>())) {
    auto result = [&] {
        std::shared_lock hold(hold_);
        MutexLock lock(list_mutex_);
        if (lister_.raw() == nullptr) return decltype(use(lister_))(not_open());
        return use(lister_);
    }();
    if (!result) repair_after(result.error());
    return result;
}

Result<RequestPage> DuckStore::list(const RequestFilter& filter) {
    return with_list_connection([&](duck::Connection& connection) { return list_requests(connection, filter); });
}

Result<RequestRecord> DuckStore::get(const std::string& id) {
    return with_list_connection([&](duck::Connection& connection) { return get_request(connection, id); });
}

Result<SqlResult> DuckStore::sql(const std::string& query, const SqlLimits& limits) {
    struct Running {
        explicit Running(std::atomic<int>& counter) : count(counter), position(++counter) {}
        ~Running() { --count; }
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;
        std::atomic<int>& count;
        int position;
    };
    const Running running(statements_);
    if (running.position > kMostStatements) {
        return Error{Errc::ResourceExhausted, "too many SQL statements run at the moment; try again"};
    }
    std::shared_lock hold(hold_);
    if (database_.get() == nullptr) return not_open();
    TRY(auto connection, duck::Connection::open(database_.get()));
    auto result = run_sql(connection, query, limits);
    if (result) return result;
    // The text of an error may be the user's own (`SELECT error('corrupt')`): it never starts a repair.
    const Errc code = result.error().code;
    const bool callers =
        code == Errc::InvalidArgument || code == Errc::DeadlineExceeded || code == Errc::ResourceExhausted;
    return Error{callers ? code : Errc::Internal, result.error().message};
}

Result<Unit> DuckStore::copy_to(const std::string& directory) {
    TRY_UNIT(ensure_directory(directory));
    const std::string name = std::filesystem::path(path()).filename();
    std::shared_lock hold(hold_);
    MutexLock lock(load_mutex_);  // Nothing else writes.
    if (loader_.raw() == nullptr) return not_open();
    // A list under way can keep the log from being merged; then it is copied beside the file, as after a crash.
    if (!loader_.run("CHECKPOINT")) log::debug("records: copied with its log");
    TRY_UNIT(copy_durably(path(), directory + "/" + name));
    if (std::filesystem::exists(log_path())) {
        TRY_UNIT(copy_durably(log_path(), directory + "/" + name + ".wal"));
    }
    return sync_directory(directory);
}

Result<std::uint64_t> DuckStore::remove_before(Timestamp before) {
    auto result = [&]() -> Result<std::uint64_t> {
        std::shared_lock hold(hold_);
        MutexLock lock(load_mutex_);
        if (loader_.raw() == nullptr) return not_open();
        const std::string condition = "time < make_timestamp(CAST(? AS BIGINT) * 1000)";
        std::uint64_t removed = 0;
        for (;;) {
            TRY(const auto left,
                loader_.integer("SELECT count(*) FROM requests WHERE " + condition, {to_millis(before)}));
            if (left.value_or(0) == 0) break;
            TRY(auto transaction, duck::Transaction::begin(loader_, false));
            TRY_UNIT(loader_.run(
                "DELETE FROM requests WHERE rowid IN (SELECT rowid FROM requests WHERE " + condition + " LIMIT ?)",
                {to_millis(before), kRowsPerDelete}));
            TRY_UNIT(transaction.commit());
            removed += static_cast<std::uint64_t>(std::min(*left, kRowsPerDelete));
        }
        // Gives the space back; where another transaction keeps it from that, the next time does it.
        if (removed > 0 && !loader_.run("CHECKPOINT")) log::debug("records: checkpoint put off");
        return removed;
    }();
    if (!result) repair_after(result.error());
    return result;
}

LoadCounts DuckStore::counts() const {
    return {.loaded = loaded_.load(), .skipped = skipped_.load(), .last_sequence = last_sequence_.load()};
}

std::string DuckStore::repaired() const {
    MutexLock lock(notes_mutex_);
    return repaired_;
}

std::uint64_t DuckStore::bytes() const {
    return size_of(path()) + size_of(log_path());
}

}  // namespace stoker::records
