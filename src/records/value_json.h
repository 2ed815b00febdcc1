// DuckDB's values as JSON, and its types by name.
//
// NULL is null. Integers that a double holds exactly are numbers, larger ones texts, so that no reader loses digits.
// NaN and the infinities are texts. Times are ISO 8601 in UTC. Lists are arrays, structs objects, maps lists of key and
// value.
#pragma once

#include <duckdb.h>

#include <string>

namespace stoker::records {

// "BIGINT", "DECIMAL(18,3)", "VARCHAR[]".
std::string type_name(duckdb_logical_type type);

// Appends the value at `row` of `column`.
void append_json(std::string& out, duckdb_vector column, idx_t row);

}  // namespace stoker::records
