#include "gateway/route_series.h"

#include <utility>

namespace stoker::gateway {

RouteSeries::RouteSeries(RequestMetrics& metrics, std::string pool, std::string model,
                         std::vector<std::string> replicas)
    : metrics_(metrics),
      pool_(std::move(pool)),
      model_(std::move(model)),
      replicas_(std::move(replicas)),
      unnamed_(make("")) {}

std::unique_ptr<RouteSeries::Handles> RouteSeries::make(const std::string& tenant) const {
    auto made = std::make_unique<Handles>();
    made->tenant = tenant;
    made->model = metrics_.model_series(pool_, model_, tenant);
    for (const std::string& replica : replicas_) {
        made->replicas.push_back(metrics_.replica_series(pool_, model_, replica, tenant));
    }
    return made;
}

const RouteSeries::Handles& RouteSeries::of(const Identity& identity) {
    static const std::string kOthers = "(others)";
    if (!identity.tenant_is_label || identity.tenant.empty()) return *unnamed_;
    MutexLock lock(mutex_);
    auto found = tenants_.find(identity.tenant);
    if (found != tenants_.end()) return *found->second;
    const std::string& label = tenants_.size() < kMostTenants ? identity.tenant : kOthers;
    auto& handles = tenants_[label];
    if (!handles) handles = make(label);
    return *handles;
}

}  // namespace stoker::gateway
