// The federated view's queries: Prometheus' query and query_range over this Stoker and its peers, by POST.
//
// Thread-safe; call from the pool for queries.
#pragma once

#include "api/federated_querier.h"
#include "collect/push/push.h"
#include "net/http.h"
#include "promql/engine.h"

namespace stoker::api {

class Federation {
public:
    // REQUIRES: `local` outlives it.
    Federation(const tsdb::Querier& local, FederationView view, promql::EngineOptions engine)
        : local_(local), view_(std::move(view)), engine_(engine) {}

    // Parameters in a form or the URL: query, time; or query, start, end, step. Warnings name peers that were left out.
    net::Response query(const collect::PushRequest& request) const;
    net::Response query_range(const collect::PushRequest& request) const;

private:
    const tsdb::Querier& local_;
    const FederationView view_;
    const promql::Engine engine_;
};

}  // namespace stoker::api
