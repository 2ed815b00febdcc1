// Prometheus' HTTP API for queries, as functions of values: dashboards and promtool see what they know.
//
//   /api/v1/query, /query_range, /series, /labels     GET, or POST with a form
//   /api/v1/label/NAME/values, /metadata, /status/buildinfo     GET
//
// Answers are {"status":"success","data":...} or {"status":"error","errorType":...,"error":...} with Prometheus'
// statuses: bad_data 400, execution 422, timeout and canceled 503, internal 500. Thread-safe; a query takes as long as
// it takes, so call from the compute pool.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "net/http.h"
#include "promql/engine.h"
#include "tsdb/querier.h"

namespace stoker::api {

struct PrometheusRequest {
    std::string method;
    std::string path;                                         // As sent, without the query.
    std::vector<std::pair<std::string, std::string>> params;  // Of the query, then of a form body, decoded.
    Timestamp now;
    const std::atomic<bool>* cancelled = nullptr;  // Set when the client leaves; may be null.
};

// Whether prometheus_api() answers this path.
bool is_prometheus_path(std::string_view path);

// REQUIRES: is_prometheus_path(request.path).
net::Response prometheus_api(const PrometheusRequest& request, const tsdb::Querier& querier,
                             const promql::Engine& engine);

}  // namespace stoker::api
