#include "gateway/cache/cache_options.h"

#include <algorithm>

#include "gateway/route/route_rules.h"

namespace stoker::gateway {
namespace {

bool names(const std::vector<std::string>& patterns, std::string_view name) {
    return patterns.empty() || std::any_of(patterns.begin(), patterns.end(), [name](const std::string& pattern) {
               return matches_pattern(pattern, name);
           });
}

}  // namespace

const CacheRule* CacheOptions::rule_for(std::string_view model, std::string_view tenant) const {
    const auto found = std::find_if(rules.begin(), rules.end(), [&](const CacheRule& rule) {
        return names(rule.models, model) && names(rule.tenants, tenant);
    });
    return found == rules.end() ? nullptr : &*found;
}

const BatchRule* CacheOptions::batch_rule_for(std::string_view model, bool embeddings) const {
    const auto found = std::find_if(batching.begin(), batching.end(), [&](const BatchRule& rule) {
        return (embeddings ? rule.embeddings : rule.completions) && names(rule.models, model);
    });
    return found == batching.end() ? nullptr : &*found;
}

}  // namespace stoker::gateway
