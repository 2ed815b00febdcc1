#include "api/federation.h"

#include "api/prometheus_answer.h"
#include "api/prometheus_params.h"

namespace stoker::api {
namespace {

ApiRequest parameters(const collect::PushRequest& push) {
    ApiRequest request;
    request.method = "POST";
    request.path = push.path;
    request.params = net::parse_query(push.body);
    request.params.insert(request.params.end(), push.params.begin(), push.params.end());
    return request;
}

net::Response answer(Result<promql::Value> value, const FederatedQuerier& querier) {
    if (!value) return prometheus_error(value.error());
    PrometheusAnswer made;
    promql::append_prometheus_json(made.out(), *value);
    made.add_notes(std::move(value->warnings), std::move(value->infos));
    for (const std::string& warning : querier.warnings()) made.warn(warning);
    return std::move(made).finish();
}

}  // namespace

net::Response Federation::query(const collect::PushRequest& push) const {
    const ApiRequest request = parameters(push);
    const auto at = prometheus_time(request, "time", push.now);
    if (!at) return prometheus_error(at.error());
    const FederatedQuerier querier(local_, view_);
    return answer(engine_.instant(querier, prometheus_param(request, "query"), *at), querier);
}

net::Response Federation::query_range(const collect::PushRequest& push) const {
    const ApiRequest request = parameters(push);
    const auto start = prometheus_time(request, "start");
    if (!start) return prometheus_error(start.error());
    const auto end = prometheus_time(request, "end");
    if (!end) return prometheus_error(end.error());
    const auto step = prometheus_duration(request, "step");
    if (!step) return prometheus_error(step.error());
    const FederatedQuerier querier(local_, view_);
    return answer(engine_.range(querier, prometheus_param(request, "query"), *start, *end, *step), querier);
}

}  // namespace stoker::api
