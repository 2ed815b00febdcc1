// A thin, owning layer over SQLite: one connection with its prepared statements, errors as values that name the file.
//
// Not thread-safe; the store's mutex stands before it.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stoker::state {

// One use of a cached statement: bind, step, read columns. Resets when it goes out of scope.
class Query {
public:
    Query(sqlite3_stmt* statement, std::string_view file) : statement_(statement), file_(file) {}
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    Query(Query&& other) noexcept : statement_(other.statement_), file_(other.file_), bound_(other.bound_) {
        other.statement_ = nullptr;
    }
    Query& operator=(Query&&) = delete;
    ~Query();

    // Binds the next parameter. REQUIRES: a text lives until the last step().
    Query& bind(std::string_view text);
    Query& bind(std::int64_t number);

    // True: there is a row. False: done.
    Result<bool> step();
    // Runs a statement without rows.
    Result<Unit> run();

    std::string text(int column) const;
    std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }

private:
    sqlite3_stmt* statement_;
    std::string_view file_;
    int bound_ = 0;
};

class Database {
public:
    static Result<Database> open(const std::string& path);

    // A statement, prepared on first use. At most one Query of the same text at a time.
    Result<Query> query(const std::string& sql);
    // Statements without parameters, not cached; any number of them.
    Result<Unit> execute(const std::string& sql);
    std::int64_t changes() const { return sqlite3_changes64(connection_.get()); }
    const std::string& path() const { return *path_; }

private:
    struct Close {
        void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };

    std::unique_ptr<const std::string> path_;  // At a fixed place: queries look at it.
    std::unique_ptr<sqlite3, Close> connection_;
    std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

// Rolls back unless committed.
class Transaction {
public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept : database_(other.database_) { other.database_ = nullptr; }
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<Unit> commit();

private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

}  // namespace stoker::state
