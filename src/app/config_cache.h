// cache: which answers are kept and shared; batching: which requests go to engines together. Parts of Config.
#pragma once

#include <string>
#include <vector>

#include "base/config.h"
#include "base/time.h"
#include "gateway/cache/cache_options.h"

namespace stoker::app {

struct CacheRuleConfig {
    std::vector<std::string> models;
    std::vector<std::string> tenants;
    bool exact = gateway::CacheRule{}.exact;
    bool coalesce = gateway::CacheRule{}.coalesce;
    bool always = gateway::CacheRule{}.always;
    Duration ttl = gateway::CacheRule{}.ttl;
    std::string semantic_model;
    double semantic_threshold = gateway::SemanticOptions{}.threshold;
    std::string semantic_text = "last_message";
};

struct CacheConfig {
    config::Bytes max_size{gateway::CacheOptions{}.max_bytes};
    config::Bytes max_answer{gateway::CacheOptions{}.max_answer_bytes};
    double tenant_share = gateway::CacheOptions{}.tenant_share;
    std::int64_t semantic_entries = gateway::CacheOptions{}.semantic_entries;
    std::vector<CacheRuleConfig> rules;
};

struct BatchingConfig {
    std::vector<std::string> models;
    bool embeddings = gateway::BatchRule{}.embeddings;
    bool completions = gateway::BatchRule{}.completions;
    std::int64_t max_inputs = gateway::BatchRule{}.max_inputs;
    Duration max_wait = gateway::BatchRule{}.max_wait;
};

void describe(config::Fields& f, CacheRuleConfig& c);
void describe(config::Fields& f, CacheConfig& c);
void describe(config::Fields& f, BatchingConfig& c);

// Models that rules name must be served; none are known where engines are found.
void check_cache(config::Fields& f, const CacheConfig& c, const std::vector<std::string>& served);

gateway::CacheOptions cache_options(const CacheConfig& c, const std::vector<BatchingConfig>& batching);

}  // namespace stoker::app
