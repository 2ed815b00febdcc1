#include "gateway/limit/limit_options.h"

#include <algorithm>

namespace stoker::gateway {

std::string_view to_string(LimitScope scope) {
    constexpr std::string_view kNames[] = {"global", "tenant", "key", "model"};
    return kNames[static_cast<std::size_t>(scope)];
}

std::string_view to_string(LimitKind kind) {
    constexpr std::string_view kNames[] = {"requests_per_minute", "tokens_per_minute", "concurrent_requests",
                                           "tokens_per_day"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::int64_t LimitSet::of(LimitKind kind) const {
    switch (kind) {
        case LimitKind::Requests:
            return requests_per_minute;
        case LimitKind::Tokens:
            return tokens_per_minute;
        case LimitKind::Concurrent:
            return concurrent_requests;
        case LimitKind::DayTokens:
            return tokens_per_day;
    }
    return 0;
}

bool LimitSet::any() const {
    return requests_per_minute > 0 || tokens_per_minute > 0 || concurrent_requests > 0 || tokens_per_day > 0;
}

const LimitSet& LimitsOptions::of(LimitScope scope, std::string_view name) const {
    const auto look = [name](const auto& named, const LimitSet& others) -> const LimitSet& {
        const auto found = named.find(name);
        return found == named.end() ? others : found->second;
    };
    switch (scope) {
        case LimitScope::Tenant:
            return look(tenants, each_tenant);
        case LimitScope::Key:
            return look(keys, each_key);
        case LimitScope::Model:
            return look(models, each_model);
        case LimitScope::Global:
            break;
    }
    return global;
}

bool LimitsOptions::names(LimitScope scope, std::string_view name) const {
    if (scope == LimitScope::Tenant) return tenants.find(name) != tenants.end();
    return scope != LimitScope::Key || keys.find(name) != keys.end();
}

bool LimitsOptions::any() const {
    const auto some = [](const auto& named) {
        return std::any_of(named.begin(), named.end(), [](const auto& entry) { return entry.second.any(); });
    };
    return global.any() || each_tenant.any() || each_key.any() || each_model.any() || some(tenants) || some(keys) ||
           some(models);
}

}  // namespace stoker::gateway
