// The asking side of Prometheus' remote read: its request encoded, and a response of samples taken apart.
//
// Stateless and thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/remote_read.h"
#include "wire/remote_write.h"

namespace stoker::wire {

// prometheus.ReadRequest for one query, which accepts samples.
std::string encode_read_request(const ReadQuery& query);

// The series of the answer to the first query of a ReadResponse, in the shape of a write request: QueryResult has the
// same fields. The views of `out` point into `message`. Errors: InvalidArgument, ResourceExhausted.
Result<Unit> decode_read_response(std::string_view message, const RemoteWriteLimits& limits, WriteRequest& out);

}  // namespace stoker::wire
