#include "gateway/degrade/degradation_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"

namespace stoker::gateway {
namespace {

constexpr std::size_t kMostPools = 1000;  // A query by some other label must not fill the memory.

bool over(const DegradationPin& pin, Timestamp now) {
    return pin.until != Timestamp{} && pin.until <= now;
}

}  // namespace

DegradationControl::DegradationControl(metrics::Registry& registry)
    : level_(registry.gauge("stoker_degradation_level",
                            "Degradation of a pool, 0 (normal) to 4 (emergency); an empty pool means all.", {"pool"})),
      actions_(registry.counter("stoker_degraded_requests_total", "Requests cut back or refused by degradation.",
                                {"level", "action"})) {
    level_.with({""}).set(0);
}

void DegradationControl::configure(DegradationOptions options) {
    MutexLock lock(mutex_);
    options_ = std::move(options);
    std::erase_if(states_, [this](const auto& entry) REQUIRES_LOCK(mutex_) {
        const std::string& name = entry.first.first;
        return !options_.enabled || std::none_of(options_.conditions.begin(), options_.conditions.end(),
                                                 [&name](const auto& condition) { return condition.name == name; });
    });
    settle(now());
}

DegradationOptions DegradationControl::options() const {
    MutexLock lock(mutex_);
    return options_;
}

std::vector<DegradationChange> DegradationControl::observe(const std::vector<DegradationReading>& readings,
                                                           SteadyTime steady, Timestamp now) {
    MutexLock lock(mutex_);
    if (!options_.enabled) return settle(now);  // Pins end by themselves all the same.
    std::map<StateKey, double> values;
    for (const DegradationReading& reading : readings) {
        const StateKey key{reading.condition, reading.pool};
        if (states_.size() < kMostPools || states_.contains(key)) states_.try_emplace(key);
        // Several values of one scope: the worst counts.
        const auto [at, fresh] = values.try_emplace(key, reading.value);
        if (!fresh) at->second = std::max(at->second, reading.value);
    }
    const DegradationTimes times{options_.raise_after, options_.clear_after, options_.clear_ratio};
    for (auto& entry : states_) {
        const StateKey& key = entry.first;
        const auto condition =
            std::find_if(options_.conditions.begin(), options_.conditions.end(),
                         [&key](const DegradationCondition& candidate) { return candidate.name == key.first; });
        if (condition == options_.conditions.end()) continue;
        const auto value = values.find(key);
        entry.second.observe(value == values.end() ? std::nullopt : std::optional<double>(value->second), *condition,
                             times, steady);
    }
    std::erase_if(states_, [&](const auto& entry) {
        return entry.second.level() == DegradationLevel::Normal && !values.contains(entry.first);
    });
    return settle(now);
}

DegradationControl::Scope DegradationControl::wanted(const std::string& pool) const {
    for (const std::string& scope : {pool, std::string()}) {
        const auto pin = pins_.find(scope);
        if (pin == pins_.end()) continue;
        std::string why = "pinned by " + pin->second.by;
        if (!pin->second.reason.empty()) why += ": " + pin->second.reason;
        return {pin->second.level, {}, std::move(why)};
    }
    Scope scope;
    for (const auto& [key, state] : states_) {
        if (!key.second.empty() && key.second != pool) continue;
        if (state.level() <= scope.level) continue;
        scope.level = state.level();
        scope.why = state.value() ? fmt::format("{} is {:.4g}", key.first, *state.value())
                                  : key.first + " was too high a while ago";
    }
    return scope;
}

// Brings the scopes in line with conditions and pins; returns what changed.
std::vector<DegradationChange> DegradationControl::settle(Timestamp now) {
    std::erase_if(pins_, [&](const auto& entry) { return over(entry.second, now); });
    std::set<std::string> pools{""};
    for (const auto& entry : states_) pools.insert(entry.first.second);
    for (const auto& entry : pins_) pools.insert(entry.first);
    for (const auto& entry : scopes_) pools.insert(entry.first);
    std::vector<DegradationChange> changes;
    for (const std::string& pool : pools) {
        Scope next = wanted(pool);
        Scope& scope = scopes_[pool];
        level_.with({pool}).set(static_cast<double>(next.level));
        if (next.level != scope.level) {
            changes.push_back({pool, scope.level, next.level,
                               next.level == DegradationLevel::Normal ? "nothing asks for it any more" : next.why});
            next.since = now;
            log::write(next.level > scope.level ? log::Level::Warn : log::Level::Info, "degradation level changed",
                       {{"pool", pool.empty() ? "all" : pool},
                        {"from", to_string(scope.level)},
                        {"to", to_string(next.level)},
                        {"why", changes.back().why}});
        } else {
            next.since = scope.since;
        }
        scope = std::move(next);
    }
    std::erase_if(scopes_, [&](const auto& entry) {
        const bool keep = entry.first.empty() || entry.second.level != DegradationLevel::Normal;
        if (!keep) level_.remove({entry.first});
        return !keep;
    });
    publish();
    return changes;
}

void DegradationControl::publish() {
    auto view = std::make_shared<View>();
    view->options = options_;
    bool any = false;
    for (const auto& [pool, scope] : scopes_) {
        view->levels.emplace(pool, scope.level);
        any = any || scope.level != DegradationLevel::Normal;
    }
    view_.set(std::move(view));
    degraded_.store(any, std::memory_order_relaxed);
}

std::vector<DegradationChange> DegradationControl::pin(DegradationPin pin, Timestamp now) {
    MutexLock lock(mutex_);
    const std::string pool = pin.pool;
    pins_.insert_or_assign(pool, std::move(pin));
    return settle(now);
}

bool DegradationControl::release(const std::string& pool, Timestamp now) {
    MutexLock lock(mutex_);
    if (pins_.erase(pool) == 0) return false;
    settle(now);
    return true;
}

std::vector<DegradationPin> DegradationControl::pins() const {
    MutexLock lock(mutex_);
    std::vector<DegradationPin> pins;
    for (const auto& entry : pins_) pins.push_back(entry.second);
    return pins;
}

DegradationStatus DegradationControl::status() const {
    MutexLock lock(mutex_);
    DegradationStatus status;
    status.enabled = options_.enabled;
    for (const auto& [pool, scope] : scopes_) status.scopes.push_back({pool, scope.level, scope.since, scope.why});
    for (const auto& [key, state] : states_) {
        status.conditions.push_back({key.first, key.second, state.value(), state.level()});
    }
    for (const auto& entry : pins_) status.pins.push_back(entry.second);
    return status;
}

std::shared_ptr<const LevelActions> DegradationControl::of(std::string_view pool, std::string_view tenant,
                                                           DegradationLevel& level) const {
    level = DegradationLevel::Normal;
    if (!degraded()) return nullptr;
    const auto view = view_.get();
    auto found = view->levels.find(pool);
    if (found == view->levels.end()) found = view->levels.find(std::string_view());
    if (found == view->levels.end() || found->second == DegradationLevel::Normal) return nullptr;
    const auto& exempt = view->options.exempt_tenants;
    if (!tenant.empty() && std::find(exempt.begin(), exempt.end(), tenant) != exempt.end()) return nullptr;
    level = found->second;
    return {view, &view->options.levels[static_cast<std::size_t>(level)]};
}

void DegradationControl::count(DegradationLevel level, std::string_view action) {
    actions_.with({std::string(to_string(level)), std::string(action)}).add();
}

}  // namespace stoker::gateway
