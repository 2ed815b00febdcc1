// Which model goes where: an immutable table that requests read and a reload replaces whole.
//
// Building a table takes over the replicas of the one before it by id, so that a replica that stays keeps its state,
// its counts and its streams. Requests hold the table they started with.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "gateway/admission/admission.h"
#include "gateway/balance/balancer.h"
#include "gateway/options.h"
#include "gateway/request_metrics.h"
#include "gateway/route/route_choice.h"
#include "gateway/route_series.h"
#include "gateway/upstream/replica.h"
#include "gateway/upstream/retry_budget.h"

namespace stoker::gateway {

struct Hedging;

// A replica as one pool uses it.
struct Target {
    std::shared_ptr<Replica> replica;
    std::string engine_model;  // Empty: what the client sent.
    std::string api_key;
    ContinuationMode continuation = ContinuationMode::Auto;
    std::string path_prefix;            // "" or "/some/where": put before the endpoint's path.
    std::vector<std::string> adapters;  // LoRA adapters that it has, beside those that it lists itself.

    // The adapter of that name, if it has it now.
    std::optional<LoraAdapter> adapter(std::string_view name) const;
    bool has_adapter(std::string_view name) const;
};

struct Pool {
    std::string name;
    DeadlineOptions deadlines;  // For models that have none of their own.
    RetryOptions retry;
    std::shared_ptr<RetryBudget> retry_budget;  // Never null; kept over reloads.
    HedgeOptions hedge;
    std::shared_ptr<Hedging> hedging;  // Never null; kept over reloads.
    OutlierOptions outliers;
    ContinuationOptions continuation;
    HealthOptions health;
    AdmissionOptions admission_options;
    std::vector<Target> targets;
    std::shared_ptr<Balancer> balancer;    // Of these targets. Never null.
    std::shared_ptr<Admission> admission;  // Never null; of all tables that have the pool.
    PoolSeries series;
    std::shared_ptr<const Provider> provider;  // Null: our own engines.
};

struct ModelRoute;

// A model as one of those that a request may go to.
struct RouteStep {
    const ModelRoute* route = nullptr;
    FallbackCauses after{};     // Of a fallback: it is taken when the step before it ended so,
    bool allowed_only = false;  // and, with this, if the sender may ask for that model by name.
};

struct ModelRoute {
    std::string model;
    std::string upstream_model;  // What the pool's replicas call it that have no name of their own for it.
    std::shared_ptr<const Pool> pool;
    DeadlineOptions deadlines;
    std::shared_ptr<RouteSeries> series;  // Replicas as pool->targets. Never null.
    std::vector<RouteStep> fallback{};    // Of the same table.
};

class RouteTable {
public:
    // Errors: InvalidArgument (a URL), Conflict (a model or a replica twice in one pool).
    static Result<std::shared_ptr<const RouteTable>> build(const Routes& routes, const RouteTable& previous,
                                                           RequestMetrics& metrics, const CanaryBook& canaries = {});

    const ModelRoute* find(std::string_view model) const;
    // What a destination of the routing leads to, for a client that asked for `asked`: a model, or "pool:NAME".
    const ModelRoute* find_destination(std::string_view to, std::string_view asked) const;
    const ModelRoute* find(const RouteChoice& choice, std::string_view asked) const {
        return choice.led ? find_destination(choice.model, asked) : find(choice.model);
    }
    // Whether the routing may lead there.
    bool is_destination(std::string_view name) const;
    // The model whose pool has a replica with this LoRA adapter loaded, now; null if none has.
    const ModelRoute* find_adapter(std::string_view adapter) const;
    struct Adapter {
        std::string name;
        std::string model;  // A name of its base model here.
    };
    // Those loaded now whose names no model has, in order.
    std::vector<Adapter> adapters() const;
    std::shared_ptr<Replica> find_replica(std::string_view id) const;
    const Pool* find_pool(std::string_view name) const;
    const std::vector<std::shared_ptr<const Pool>>& pools() const { return pools_; }
    // From what clients ask for to models.
    const Routing& routing() const { return routing_; }
    // Whether clients may ask for this name.
    bool knows(std::string_view name) const { return find(name) != nullptr || routing_.knows(name); }
    // All names that clients may ask for, in order: models, aliases, splits, canaries.
    const std::vector<std::string>& models() const { return models_; }
    // At most three names near to a model that is not there, the nearest first; else the first ones there are.
    std::vector<std::string> suggestions(std::string_view model) const;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };

    Result<Unit> add_pool(const PoolOptions& options, const RouteTable& previous, RequestMetrics& metrics);
    void add_model(const ModelOptions& options);

    std::unordered_map<std::string, ModelRoute, Hash, std::equal_to<>> by_model_;  // In the first pool that lists it.
    std::deque<ModelRoute> elsewhere_;                                             // The others.
    std::unordered_map<std::string, std::vector<ModelRoute*>, Hash, std::equal_to<>> by_pool_;  // As it lists them.
    std::unordered_map<std::string, std::shared_ptr<Replica>, Hash, std::equal_to<>> by_id_;
    std::vector<std::shared_ptr<const Pool>> pools_;
    std::vector<const ModelRoute*> first_models_;  // Of the pools; null where one has none.
    std::vector<std::string> models_;
    Routing routing_;
};

}  // namespace stoker::gateway
