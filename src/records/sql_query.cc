#include "records/sql_query.h"

#include <fmt/format.h>

#include <chrono>

#include "base/text.h"
#include "records/query_deadline.h"
#include "records/sql_guard.h"
#include "records/value_json.h"

namespace stoker::records {
namespace {

using SteadyClock = std::chrono::steady_clock;

Result<duck::Rows> execute(duck::Connection& connection, const std::string& query) {
    return duck::guarded([&]() -> Result<duck::Rows> {
        duck::StatementHandle statement;
        if (duckdb_prepare(connection.raw(), query.c_str(), statement.out()) != DuckDBSuccess) {
            return duck::error_of(duckdb_prepare_error(statement.get()));
        }
        if (duckdb_nparams(statement.get()) != 0) {
            return Error{Errc::InvalidArgument, "the statement has parameters, and there are no values for them"};
        }
        // Streaming: rows are made as they are read, so a limit on rows bounds the work and the memory.
        duck::PendingHandle pending;
        if (duckdb_pending_prepared_streaming(statement.get(), pending.out()) != DuckDBSuccess) {
            return duck::error_of(duckdb_pending_error(pending.get()));
        }
        duckdb_result result{};
        const duckdb_state state = duckdb_execute_pending(pending.get(), &result);
        duck::Rows rows(result);
        if (state != DuckDBSuccess) return duck::error_of(duckdb_result_error(&rows.raw()));
        return rows;
    });
}

Result<Unit> collect(duck::Rows& rows, const SqlLimits& limits, SqlResult& out) {
    const idx_t columns = duckdb_column_count(&rows.raw());
    for (idx_t i = 0; i < columns; ++i) {
        const duck::TypeHandle type(duckdb_column_logical_type(&rows.raw(), i));
        out.columns.push_back({duckdb_column_name(&rows.raw(), i), type_name(type.get())});
    }
    std::size_t bytes = 0;
    for (;;) {
        TRY(const duck::ChunkHandle chunk, rows.next());
        if (chunk.get() == nullptr) return Unit{};
        const idx_t count = duckdb_data_chunk_get_size(chunk.get());
        for (idx_t row = 0; row < count; ++row) {
            if (out.rows.size() >= limits.max_rows || bytes >= limits.max_bytes) {
                out.truncated = true;
                return Unit{};
            }
            std::string json = "[";
            for (idx_t column = 0; column < columns; ++column) {
                if (column > 0) json += ',';
                append_json(json, duckdb_data_chunk_get_vector(chunk.get(), column), row);
            }
            json += ']';
            bytes += json.size();
            out.rows.push_back(std::move(json));
        }
    }
}

Result<Unit> run_in_read_only_transaction(duck::Connection& connection, const std::string& query,
                                          const SqlLimits& limits, SqlResult& out) {
    TRY_UNIT(check_read_only(connection, query));
    TRY(const auto transaction, duck::Transaction::begin(connection, true));
    TRY(duck::Rows rows, execute(connection, query));
    return collect(rows, limits, out);
}

}  // namespace

Result<SqlResult> run_sql(duck::Connection& connection, const std::string& query, const SqlLimits& limits) {
    const SteadyTime start = SteadyClock::now();
    SqlResult out;
    Result<Unit> done;
    {
        const QueryDeadline watchdog(connection, start + limits.timeout);
        done = run_in_read_only_transaction(connection, query, limits, out);
    }
    out.elapsed = std::chrono::duration_cast<Duration>(SteadyClock::now() - start);
    if (done) return out;
    if (done.error().code == Errc::Cancelled ||
        (out.elapsed >= limits.timeout && done.error().code != Errc::Corruption)) {
        return Error{Errc::DeadlineExceeded,
                     fmt::format("the statement was stopped after {}", format_duration(limits.timeout))};
    }
    return std::move(done).error();
}

std::string to_json(const SqlResult& result) {
    std::string json = "{\"columns\":[";
    for (const SqlColumn& column : result.columns) {
        if (json.back() != '[') json += ',';
        json += fmt::format(R"({{"name":{},"type":{}}})", quote_json(column.name), quote_json(column.type));
    }
    json += "],\"rows\":[";
    for (const std::string& row : result.rows) {
        if (json.back() != '[') json += ',';
        json += row;
    }
    json += fmt::format(R"(],"truncated":{},"elapsed_ms":{}}})", result.truncated, result.elapsed.count());
    return json;
}

}  // namespace stoker::records
