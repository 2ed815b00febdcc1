// The telemetry database's tables, by numbered versions, and how rows get into them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "records/duck.h"
#include "records/telemetry.h"

namespace stoker::records {

inline constexpr std::int64_t kTelemetrySchemaVersion = 1;

// Brings the database to the newest version, each step in its own transaction. Errors: Conflict if it is newer.
Result<Unit> migrate_telemetry(duck::Connection& connection);

// What column `trace_key` has of a trace id: its last 8 digits as a number. A search for a trace goes over this column,
// an eighth of the ids' size, first: WHERE trace_key = ? AND trace_id = ?
std::uint32_t trace_key(std::string_view trace_id);

// One row of table `spans` or `logs`.
Result<Unit> append_row(duckdb_appender appender, const SpanRow& span);
Result<Unit> append_row(duckdb_appender appender, const LogRow& log);

}  // namespace stoker::records
