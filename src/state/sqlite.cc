#include "state/sqlite.h"

#include <fmt/format.h>

#include <utility>

namespace stoker::state {
namespace {

constexpr int kBusyMillis = 2000;  // How long to wait for another process (a backup, a person with sqlite3).
constexpr std::size_t kMostStatements = 64;

Errc code_of(int result) {
    switch (result & 0xFF) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Errc::Corruption;
        case SQLITE_CONSTRAINT:
            return Errc::Conflict;
        case SQLITE_FULL:
            return Errc::ResourceExhausted;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return Errc::Unavailable;
        default:
            return Errc::Internal;
    }
}

Error error_of(sqlite3* connection, int result, std::string_view file) {
    const char* message = connection == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(connection);
    return {code_of(result), fmt::format("{}: {}", file, message)};
}

}  // namespace

Query::~Query() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

// A failed bind shows when the statement runs: the parameter is NULL then, and no column here takes NULL.
Query& Query::bind(std::string_view text) {
    sqlite3_bind_text64(statement_, ++bound_, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
    return *this;
}

Query& Query::bind(std::int64_t number) {
    sqlite3_bind_int64(statement_, ++bound_, number);
    return *this;
}

Result<bool> Query::step() {
    const int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) return false;
    return error_of(sqlite3_db_handle(statement_), result, file_);
}

Result<Unit> Query::run() {
    TRY([[maybe_unused]] const bool row, step());
    return Unit{};
}

std::string Query::text(int column) const {
    const unsigned char* bytes = sqlite3_column_text(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return bytes == nullptr ? std::string()
                            : std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

Result<Database> Database::open(const std::string& path) {
    Database database;
    database.path_ = std::make_unique<const std::string>(path);
    sqlite3* connection = nullptr;
    const int opened = sqlite3_open_v2(path.c_str(), &connection,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    database.connection_.reset(connection);
    if (opened != SQLITE_OK) return error_of(connection, opened, path);
    sqlite3_extended_result_codes(connection, 1);
    sqlite3_busy_timeout(connection, kBusyMillis);
    return database;
}

Result<Query> Database::query(const std::string& sql) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
        sqlite3_stmt* statement = nullptr;
        const int prepared = sqlite3_prepare_v3(connection_.get(), sql.c_str(), static_cast<int>(sql.size()) + 1,
                                                SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
        if (prepared != SQLITE_OK) return error_of(connection_.get(), prepared, *path_);
        if (statements_.size() >= kMostStatements) statements_.clear();
        found = statements_.emplace(sql, statement).first;
    }
    return Query(found->second.get(), *path_);
}

Result<Unit> Database::execute(const std::string& sql) {
    const int result = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) return error_of(connection_.get(), result, *path_);
    return Unit{};
}

Result<Transaction> Transaction::begin(Database& database) {
    TRY_UNIT(database.execute("BEGIN IMMEDIATE"));
    return Transaction(database);
}

Transaction::~Transaction() {
    if (database_ != nullptr) (void)database_->execute("ROLLBACK");
}

Result<Unit> Transaction::commit() {
    TRY_UNIT(database_->execute("COMMIT"));  // A commit that fails is rolled back.
    database_ = nullptr;
    return Unit{};
}

}  // namespace stoker::state
