// The record database's tables, by numbered versions, and the order of the request columns.
#pragma once

#include "base/result.h"
#include "records/duck.h"
#include "records/request_record.h"

namespace stoker::records {

inline constexpr std::int64_t kSchemaVersion = 6;

// Brings the database to `target`, each step in its own transaction. Errors: Conflict if it is newer.
Result<Unit> migrate(duck::Connection& connection, std::int64_t target = kSchemaVersion);

// Columns in the order in which record_at() wants them selected.
extern const char* const kRecordColumns;

// Row `row` of a chunk of kRecordColumns.
Result<RequestRecord> record_at(duckdb_data_chunk chunk, idx_t row);

// Appends one row to table `requests`.
Result<Unit> append_row(duckdb_appender appender, std::uint64_t sequence, const RequestRecord& record);

}  // namespace stoker::records
