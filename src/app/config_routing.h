// routing: aliases, rules, splits and canaries as stoker.yaml says them. Part of Config.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/time.h"
#include "gateway/route/routing_options.h"

namespace stoker::app {

struct AliasConfig {
    std::string name;
    std::string to;
};

struct RuleTimeConfig {
    std::string from = "00:00";
    std::string to = "00:00";
    std::vector<std::string> days;
    std::string zone = "UTC";
};

struct RoutingRuleConfig {
    std::string name;
    std::vector<std::string> models;
    std::vector<std::string> paths;
    std::vector<std::string> tenants;
    std::map<std::string, std::string> headers;
    std::map<std::string, std::string> metadata;
    std::int64_t min_prompt_tokens = 0;
    std::int64_t max_prompt_tokens = 0;
    std::optional<RuleTimeConfig> time;
    std::string to;
};

struct SplitTargetConfig {
    std::string to;
    double weight = 0;
};

struct SplitConfig {
    std::string name;
    std::string by = "request";
    std::string header;
    std::vector<SplitTargetConfig> targets;
};

struct CanaryConfig {
    std::string name;
    std::string control;
    std::string candidate;
    std::string by = "request";
    std::string header;
    std::vector<std::string> steps = {"1", "5", "25", "50"};
    Duration hold = gateway::CanaryOptions{}.hold;
    std::int64_t min_requests = gateway::CanaryOptions{}.min_requests;
    double max_error_increase = gateway::CanaryOptions{}.max_error_increase;
    double max_latency_ratio = gateway::CanaryOptions{}.max_latency_ratio;
    double false_alarm = gateway::CanaryOptions{}.false_alarm;
};

// The conditions are a rule's; `to` gets the copies.
struct ShadowConfig {
    RoutingRuleConfig match;
    double percent = gateway::ShadowOptions{}.percent;
    std::int64_t requests_per_minute = gateway::ShadowOptions{}.limits.requests_per_minute;
    std::int64_t tokens_per_minute = gateway::ShadowOptions{}.limits.tokens_per_minute;
    std::int64_t tokens_per_day = gateway::ShadowOptions{}.limits.tokens_per_day;
    std::int64_t concurrent = gateway::ShadowOptions{}.limits.concurrent_requests;
    Duration timeout = gateway::ShadowOptions{}.timeout;
    config::Bytes max_body{gateway::ShadowOptions{}.max_body_bytes};
};

struct RoutingConfig {
    std::vector<AliasConfig> aliases;
    std::vector<RoutingRuleConfig> rules;
    std::vector<SplitConfig> splits;
    std::vector<CanaryConfig> canaries;
    std::vector<ShadowConfig> shadows;
};

void describe(config::Fields& f, AliasConfig& c);
void describe(config::Fields& f, RuleTimeConfig& c);
void describe(config::Fields& f, RoutingRuleConfig& c);
void describe(config::Fields& f, SplitTargetConfig& c);
void describe(config::Fields& f, SplitConfig& c);
void describe(config::Fields& f, CanaryConfig& c);
void describe(config::Fields& f, ShadowConfig& c);
void describe(config::Fields& f, RoutingConfig& c);

// What only the whole shows: names are unique, destinations are there, aliases end somewhere. `served`: the models of
// all pools, and the pools as "pool:NAME"; empty means that engines are found, and their models with them.
void check_routing(config::Fields& f, const RoutingConfig& c, const std::vector<std::string>& served);

gateway::RoutingOptions routing_options(const RoutingConfig& c);
gateway::RuleOptions rule_options(const RoutingRuleConfig& c);
gateway::ShadowOptions shadow_options(const ShadowConfig& c);

// "22:30" as minutes of the day; "24:00" is 0. Empty: not that.
std::optional<int> parse_minute_of_day(std::string_view text);
// "mon", "sat-sun", as one bit each, Sunday is bit 0. Empty: not that.
std::optional<unsigned> parse_weekdays(std::string_view text);

}  // namespace stoker::app
