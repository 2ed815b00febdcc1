// Requests by filter: the SQL for it, with every value bound.
#pragma once

#include <string>

#include "base/result.h"
#include "records/duck.h"
#include "records/store.h"

namespace stoker::records {

Result<RequestPage> list_requests(duck::Connection& connection, const RequestFilter& filter);
// Errors: NotFound.
Result<RequestRecord> get_request(duck::Connection& connection, const std::string& id);

}  // namespace stoker::records
