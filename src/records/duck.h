// A thin, owning layer over DuckDB's C API: handles that close themselves, errors as values.
//
// DuckDB throws through its C interface in places where it meets its own bugs; every call here catches that. Error
// codes: InvalidArgument (the statement), ResourceExhausted (memory), Cancelled (interrupted), Corruption (the file),
// Internal.
//
// A Connection is used by one thread at a time; interrupt() may come from any.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace stoker::records::duck {

// A handle with the function that frees it.
template <typename T, void (*Destroy)(T*)>
class Handle {
public:
    Handle() = default;
    explicit Handle(T raw) : raw_(raw) {}
    Handle(Handle&& other) noexcept : raw_(std::exchange(other.raw_, T{})) {}
    Handle& operator=(Handle&& other) noexcept {
        if (this != &other) {
            reset();
            raw_ = std::exchange(other.raw_, T{});
        }
        return *this;
    }
    ~Handle() { reset(); }

    T get() const { return raw_; }
    T* out() {
        reset();
        return &raw_;
    }
    void reset() {
        if (raw_ != T{}) Destroy(&raw_);
        raw_ = T{};
    }

private:
    T raw_{};
};

inline void destroy_appender(duckdb_appender* appender) {
    duckdb_appender_destroy(appender);
}

using DatabaseHandle = Handle<duckdb_database, duckdb_close>;
using ConnectionHandle = Handle<duckdb_connection, duckdb_disconnect>;
using StatementHandle = Handle<duckdb_prepared_statement, duckdb_destroy_prepare>;
using ExtractedHandle = Handle<duckdb_extracted_statements, duckdb_destroy_extracted>;
using PendingHandle = Handle<duckdb_pending_result, duckdb_destroy_pending>;
using ChunkHandle = Handle<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using TypeHandle = Handle<duckdb_logical_type, duckdb_destroy_logical_type>;
using AppenderHandle = Handle<duckdb_appender, destroy_appender>;

// A query's rows, chunk by chunk.
class Rows {
public:
    explicit Rows(duckdb_result result) : result_(result) {}
    Rows(Rows&& other) noexcept : result_(std::exchange(other.result_, duckdb_result{})) {}
    Rows& operator=(Rows&&) = delete;
    ~Rows() { duckdb_destroy_result(&result_); }

    duckdb_result& raw() { return result_; }
    // Null at the end. Errors: of the query, where it is executed as it is read.
    Result<ChunkHandle> next();

private:
    duckdb_result result_;
};

using Parameter = std::variant<std::string, std::int64_t, bool>;

class Connection {
public:
    // REQUIRES: the database outlives the connection.
    static Result<Connection> open(duckdb_database database);

    Result<Unit> run(const std::string& sql) { return run(sql, {}); }
    // Values are bound, never pasted. Runs exactly one statement.
    Result<Unit> run(const std::string& sql, const std::vector<Parameter>& parameters);
    Result<Rows> query(const std::string& sql, const std::vector<Parameter>& parameters = {});
    // The first column of the first row; nothing if there is no row or it is NULL.
    Result<std::optional<std::int64_t>> integer(const std::string& sql, const std::vector<Parameter>& parameters = {});
    Result<std::optional<std::string>> text(const std::string& sql, const std::vector<Parameter>& parameters = {});

    duckdb_connection raw() const { return handle_.get(); }
    void interrupt() { duckdb_interrupt(handle_.get()); }

private:
    ConnectionHandle handle_;
};

// Rolls back unless commit() was called.
class Transaction {
public:
    static Result<Transaction> begin(Connection& connection, bool read_only);
    Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<Unit> commit();

private:
    explicit Transaction(Connection& connection) : connection_(&connection) {}
    Connection* connection_;
};

struct Settings {
    std::string memory_limit;  // "512MiB"
    std::int64_t threads = 2;
    std::string temp_directory;
};

// Opens a database whose connections can't reach files, network or settings. Errors: Conflict (another process holds
// it, or a newer DuckDB wrote it), Corruption, Unavailable.
Result<DatabaseHandle> open_database(const std::string& path, const Settings& settings);

// DuckDB's message as an error with the code that fits.
Error error_of(const char* message);

// A string value where it lies in a vector.
inline std::string_view text_at(const void* data, idx_t row) {
    auto* value = static_cast<duckdb_string_t*>(const_cast<void*>(data)) + row;
    return {duckdb_string_t_data(value), duckdb_string_t_length(*value)};
}

// Runs `body`, turning what DuckDB throws into an error.
template <typename F>
auto guarded(F&& body) -> decltype(body()) {
    try {
        return body();
    } catch (const std::exception& thrown) {
        return error_of(thrown.what());
    }
}

}  // namespace stoker::records::duck
