// Decides whether a statement of a user may run.
//
// The database itself can't reach files, network or settings (duck::open_database), and user statements run in
// read-only transactions. What is left are functions with effects that a SELECT can call (checkpoints, logging, raw
// pointers, text run as SQL). So the statement is parsed by DuckDB, and the functions in its syntax tree are held
// against what is allowed: of table functions only those on a list, of the others all but a few.
#pragma once

#include <string>

#include "base/result.h"
#include "records/duck.h"

namespace stoker::records {

// Errors: InvalidArgument with the reason.
Result<Unit> check_read_only(duck::Connection& connection, const std::string& query);

}  // namespace stoker::records
