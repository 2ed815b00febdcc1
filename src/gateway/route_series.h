// The handles that requests for one model touch, for each tenant that may be a label of metrics.
//
// A tenant's are made when its first request comes, so that tenants cost series only where they ask. Their number is
// bounded by the configuration, which names them, and past kMostTenants of one model by sharing one label.
//
// Thread-safe; what of() returns stays as long as the RouteSeries does.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/sync.h"
#include "gateway/auth/identity.h"
#include "gateway/request_metrics.h"

namespace stoker::gateway {

class RouteSeries {
public:
    static constexpr std::size_t kMostTenants = 500;

    struct Handles {
        std::string tenant;  // As the label has it.
        ModelSeries model;
        std::vector<ReplicaSeries> replicas;  // As given to the constructor.
    };

    // REQUIRES: `metrics` outlives it.
    RouteSeries(RequestMetrics& metrics, std::string pool, std::string model, std::vector<std::string> replicas);

    const Handles& of(const Identity& identity);

private:
    std::unique_ptr<Handles> make(const std::string& tenant) const;

    RequestMetrics& metrics_;
    const std::string pool_;
    const std::string model_;
    const std::vector<std::string> replicas_;
    const std::unique_ptr<Handles> unnamed_;
    Mutex mutex_;
    std::unordered_map<std::string, std::unique_ptr<Handles>> tenants_ GUARDED_BY(mutex_);
};

}  // namespace stoker::gateway
