#include "gateway/route/routes.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "gateway/upstream/hedge.h"

namespace stoker::gateway {
namespace {

std::string path_prefix_of(const net::Url& url) {
    std::string prefix = url.path.substr(0, url.path.find('?'));
    while (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
    // People write base URLs as for an SDK, with /v1 at the end; endpoints bring their own.
    if (prefix.ends_with("/v1")) prefix.resize(prefix.size() - 3);
    return prefix;
}

DeadlineOptions with_overrides(DeadlineOptions deadlines, const DeadlineOverrides& own) {
    deadlines.connect = own.connect.value_or(deadlines.connect);
    deadlines.first_byte = own.first_byte.value_or(deadlines.first_byte);
    deadlines.first_token = own.first_token.value_or(deadlines.first_token);
    deadlines.whole = own.whole.value_or(deadlines.whole);
    deadlines.between = own.between.value_or(deadlines.between);
    deadlines.total = own.total.value_or(deadlines.total);
    deadlines.queue = own.queue.value_or(deadlines.queue);
    return deadlines;
}

}  // namespace

bool Target::has_adapter(std::string_view name) const {
    return std::find(adapters.begin(), adapters.end(), name) != adapters.end() || replica->load().has_adapter(name);
}

std::optional<LoraAdapter> Target::adapter(std::string_view name) const {
    if (auto listed = replica->load().adapter(name)) return listed;
    if (!has_adapter(name)) return {};
    return LoraAdapter{.name = std::string(name)};
}

Result<Unit> RouteTable::add_pool(const PoolOptions& options, const RouteTable& previous, RequestMetrics& metrics) {
    auto pool = std::make_shared<Pool>();
    pool->name = options.name;
    pool->deadlines = options.deadlines;
    pool->retry = options.retry;
    pool->continuation = options.continuation;
    pool->health = options.health;
    pool->outliers = options.outliers;
    const Pool* before = previous.find_pool(options.name);
    if (options.provider) {
        auto provider = Provider::create(*options.provider, before != nullptr ? before->provider.get() : nullptr);
        if (!provider) return std::move(provider).error().context("pool " + options.name);
        pool->provider = *std::move(provider);
    }
    pool->admission_options = options.admission;
    for (const ReplicaOptions& wanted : options.replicas) {
        auto url = net::parse_url(wanted.url);
        if (!url) return std::move(url).error().context("pool " + options.name);
        std::string id = options.name + "/" + url->host + ":" + url->port;
        auto replica = previous.find_replica(id);
        if (!replica || replica->url().tls != url->tls) {
            replica = std::make_shared<Replica>(id, options.name, *url, wanted.url, options.health, options.breaker);
        }
        replica->configure(options.health, options.breaker, options.models);
        if (!by_id_.emplace(id, replica).second) {
            return Error{Errc::Conflict, "pool " + options.name + ": " + wanted.url + " is given twice"};
        }
        pool->targets.push_back({std::move(replica), wanted.model, wanted.api_key, wanted.continuation,
                                 path_prefix_of(*url), wanted.adapters});
    }
    std::vector<std::string> ids;
    for (const Target& target : pool->targets) ids.push_back(target.replica->id());
    pool->balancer = Balancer::create(options.balance, ids, before != nullptr ? before->balancer : nullptr);
    pool->admission = before != nullptr ? before->admission : std::make_shared<Admission>();
    pool->retry_budget = before != nullptr ? before->retry_budget : std::make_shared<RetryBudget>();
    pool->retry_budget->set(options.retry.budget_share, options.retry.budget_per_second);
    pool->hedge = options.hedge;
    pool->hedging = before != nullptr ? before->hedging : std::make_shared<Hedging>();
    pool->hedging->budget.set(options.hedge.budget_share, options.hedge.budget_per_second);
    pool->series = metrics.pool_series(pool->name);
    for (const std::string& model : options.models) {
        ModelRoute route{model,           options.provider ? options.provider->name_of(model) : model,    pool,
                         pool->deadlines, std::make_shared<RouteSeries>(metrics, pool->name, model, ids), {}};
        std::vector<ModelRoute*>& in_pool = by_pool_[pool->name];
        for (const ModelRoute* earlier : in_pool) {
            if (earlier->model == model) return Error{Errc::Conflict, "the model " + model + " is given twice"};
        }
        const auto first = by_model_.find(model);
        if (first == by_model_.end()) {
            in_pool.push_back(&by_model_.emplace(model, std::move(route)).first->second);
        } else {
            in_pool.push_back(&elsewhere_.emplace_back(std::move(route)));
        }
        models_.push_back(model);
    }
    const auto& in_pool = by_pool_[pool->name];
    first_models_.push_back(in_pool.empty() ? nullptr : in_pool.front());
    pools_.push_back(std::move(pool));
    return Unit{};
}

void RouteTable::add_model(const ModelOptions& options) {
    for (const auto& [pool, routes] : by_pool_) {
        for (ModelRoute* route : routes) {
            if (route->model != options.name) continue;
            route->deadlines = with_overrides(route->deadlines, options.deadlines);
            for (const FallbackOptions& fallback : options.fallback) {
                const ModelRoute* to = find_destination(fallback.to, options.name);
                if (to != nullptr && to != route) route->fallback.push_back({to, fallback.on, fallback.allowed_only});
            }
        }
    }
}

Result<std::shared_ptr<const RouteTable>> RouteTable::build(const Routes& routes, const RouteTable& previous,
                                                            RequestMetrics& metrics, const CanaryBook& canaries) {
    auto table = std::make_shared<RouteTable>();
    for (const PoolOptions& pool : routes.pools) TRY_UNIT(table->add_pool(pool, previous, metrics));
    for (const ModelOptions& model : routes.models) table->add_model(model);
    table->routing_ = Routing(routes.routing, canaries,
                              [&metrics](const std::string& by, const std::string& name, const std::string& to) {
                                  return metrics.routed_series(by, name, to);
                              });
    for (std::string& name : table->routing_.names()) table->models_.push_back(std::move(name));
    std::sort(table->models_.begin(), table->models_.end());
    table->models_.erase(std::unique(table->models_.begin(), table->models_.end()), table->models_.end());
    return std::shared_ptr<const RouteTable>(std::move(table));
}

const ModelRoute* RouteTable::find_adapter(std::string_view adapter) const {
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        for (const Target& target : pools_[i]->targets) {
            if (first_models_[i] != nullptr && target.has_adapter(adapter)) return first_models_[i];
        }
    }
    return nullptr;
}

std::vector<RouteTable::Adapter> RouteTable::adapters() const {
    std::vector<Adapter> all;
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        for (const Target& target : pools_[i]->targets) {
            if (first_models_[i] == nullptr) continue;
            const auto add = [&](const std::string& name) {
                if (!knows(name)) all.push_back({name, first_models_[i]->model});
            };
            for (const LoraAdapter& listed : *target.replica->load().adapters()) add(listed.name);
            for (const std::string& name : target.adapters) add(name);
        }
    }
    // By pool where two have one of that name, as find_adapter() takes the first.
    std::stable_sort(all.begin(), all.end(), [](const Adapter& a, const Adapter& b) { return a.name < b.name; });
    const auto same = [](const Adapter& a, const Adapter& b) { return a.name == b.name; };
    all.erase(std::unique(all.begin(), all.end(), same), all.end());
    return all;
}

const ModelRoute* RouteTable::find(std::string_view model) const {
    const auto found = by_model_.find(model);
    return found == by_model_.end() ? nullptr : &found->second;
}

const ModelRoute* RouteTable::find_destination(std::string_view to, std::string_view asked) const {
    if (!to.starts_with(kPoolPrefix)) return find(to);
    const auto pool = by_pool_.find(to.substr(kPoolPrefix.size()));
    if (pool == by_pool_.end()) return nullptr;
    const auto in_pool = [&](std::string_view model) -> const ModelRoute* {
        for (const ModelRoute* route : pool->second) {
            if (route->model == model) return route;
        }
        return nullptr;
    };
    const ModelRoute* route = in_pool(asked);
    if (route == nullptr) route = in_pool(routing_.model_of(asked));
    return route == nullptr ? pool->second.front() : route;
}

bool RouteTable::is_destination(std::string_view name) const {
    return knows(name) ||
           (name.starts_with(kPoolPrefix) && by_pool_.find(name.substr(kPoolPrefix.size())) != by_pool_.end());
}

std::shared_ptr<Replica> RouteTable::find_replica(std::string_view id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

const Pool* RouteTable::find_pool(std::string_view name) const {
    for (const auto& pool : pools_) {
        if (pool->name == name) return pool.get();
    }
    return nullptr;
}

std::vector<std::string> RouteTable::suggestions(std::string_view model) const {
    constexpr std::size_t kMost = 3;
    constexpr std::size_t kLongestCompared = 128;  // The distance costs the product of both lengths.
    std::vector<std::pair<std::size_t, std::string>> near;
    for (const std::string& name : models_) {
        if (model.size() > kLongestCompared || name.size() > kLongestCompared) continue;
        const std::size_t distance = edit_distance(model, name);
        const bool contained = name.find(model) != std::string::npos || model.find(name) != std::string_view::npos;
        if (contained || distance <= std::max<std::size_t>(2, name.size() / 3)) near.emplace_back(distance, name);
    }
    std::sort(near.begin(), near.end());
    std::vector<std::string> names;
    for (const auto& [distance, name] : near) names.push_back(name);
    if (names.empty()) names = models_;
    if (names.size() > kMost) names.resize(kMost);
    return names;
}

}  // namespace stoker::gateway
