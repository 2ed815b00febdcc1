// The conversion of the configuration's routing to the gateway's options.
#include <fmt/format.h>

#include "app/config_routing.h"
#include "base/text.h"
#include "gateway/route/route_rules.h"

namespace stoker::app {
namespace {

gateway::StickyBy sticky_by(const std::string& by) {
    using gateway::StickyBy;
    for (const StickyBy each : {StickyBy::User, StickyBy::Session, StickyBy::Tenant, StickyBy::Header}) {
        if (gateway::to_string(each) == by) return each;
    }
    return StickyBy::Nothing;
}

gateway::TimeWindow time_window(const RuleTimeConfig& c) {
    gateway::TimeWindow window;
    window.from_minute = parse_minute_of_day(c.from).value_or(0);
    window.to_minute = parse_minute_of_day(c.to).value_or(0);
    if (!c.days.empty()) window.days = 0;
    for (const std::string& days : c.days) window.days |= parse_weekdays(days).value_or(0);
    if (auto zone = TimeZone::find(c.zone)) window.zone = *zone;
    window.text =
        fmt::format("{} to {} {}{}{}", c.from, c.to, c.zone, c.days.empty() ? "" : " on ", join(c.days, ", "));
    return window;
}

gateway::CanaryOptions canary_options(const CanaryConfig& c) {
    gateway::CanaryOptions canary;
    canary.name = c.name;
    canary.control = c.control;
    canary.candidate = c.candidate;
    canary.by = sticky_by(c.by);
    canary.header = c.header;
    canary.steps.clear();
    for (const std::string& step : c.steps) canary.steps.push_back(parse_number(step).value_or(0));
    canary.hold = c.hold;
    canary.min_requests = c.min_requests;
    canary.max_error_increase = c.max_error_increase;
    canary.max_latency_ratio = c.max_latency_ratio;
    canary.false_alarm = c.false_alarm;
    return canary;
}

}  // namespace

gateway::RuleOptions rule_options(const RoutingRuleConfig& c) {
    gateway::RuleOptions rule;
    rule.name = c.name;
    rule.models = c.models;
    rule.paths = c.paths;
    rule.tenants = c.tenants;
    rule.headers = c.headers;
    rule.metadata = c.metadata;
    rule.min_prompt_tokens = c.min_prompt_tokens;
    rule.max_prompt_tokens = c.max_prompt_tokens;
    if (c.time) rule.time = time_window(*c.time);
    rule.to = c.to;
    return rule;
}

gateway::RoutingOptions routing_options(const RoutingConfig& c) {
    gateway::RoutingOptions options;
    for (const AliasConfig& alias : c.aliases) options.aliases.push_back({alias.name, alias.to});
    for (const RoutingRuleConfig& rule : c.rules) options.rules.push_back(rule_options(rule));
    for (const SplitConfig& split : c.splits) {
        gateway::SplitOptions& made = options.splits.emplace_back();
        made.name = split.name;
        made.by = sticky_by(split.by);
        made.header = split.header;
        for (const SplitTargetConfig& target : split.targets) made.arms.push_back({target.to, target.weight});
    }
    for (const CanaryConfig& canary : c.canaries) options.canaries.push_back(canary_options(canary));
    for (const ShadowConfig& shadow : c.shadows) options.shadows.push_back(shadow_options(shadow));
    return options;
}

}  // namespace stoker::app
