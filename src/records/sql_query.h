// Runs one user statement within limits of rows, bytes and time.
#pragma once

#include <string>

#include "base/result.h"
#include "records/duck.h"
#include "records/store.h"

namespace stoker::records {

// REQUIRES: the connection is used by nobody else meanwhile.
Result<SqlResult> run_sql(duck::Connection& connection, const std::string& query, const SqlLimits& limits);

}  // namespace stoker::records
