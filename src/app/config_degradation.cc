// degradation: when less of each request is served, and what is left out.
#include <fmt/format.h>

#include <set>

#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_convert.h"
#include "promql/engine.h"

namespace stoker::app {
namespace {

using gateway::DegradationLevel;
using gateway::kDegradationLevels;

DegradationLevelConfig level_config(const gateway::LevelActions& actions) {
    DegradationLevelConfig c;
    c.drop = actions.drop;
    c.max_tokens = actions.max_tokens;
    c.cache_only = actions.cache_only;
    c.max_prompt = config::Bytes{actions.max_prompt_bytes};
    if (actions.refuse_up_to == gateway::Priority::Low) c.refuse = "low";
    if (actions.refuse_up_to == gateway::Priority::Normal) c.refuse = "normal";
    return c;
}

gateway::LevelActions level_actions(const DegradationLevelConfig& c) {
    gateway::LevelActions actions;
    actions.drop = c.drop;
    actions.max_tokens = c.max_tokens;
    actions.max_prompt_bytes = c.max_prompt.count;
    actions.models = c.models;
    if (c.refuse == "low") actions.refuse_up_to = gateway::Priority::Low;
    if (c.refuse == "normal") actions.refuse_up_to = gateway::Priority::Normal;
    if (c.refuse == "all") actions.refuse_up_to = gateway::Priority::High;
    actions.cache_only = c.cache_only;
    actions.answer = c.answer;
    return actions;
}

// The thresholds of a condition, by level.
std::array<double, kDegradationLevels> thresholds(const DegradationConditionConfig& c) {
    return {0, c.light, c.medium, c.heavy, c.emergency};
}

}  // namespace

DegradationConfig default_degradation() {
    DegradationConfig c;
    for (const auto& condition : gateway::default_degradation_conditions()) {
        DegradationConditionConfig made{.name = condition.name, .query = condition.query};
        made.light = condition.thresholds[1].value_or(0);
        made.medium = condition.thresholds[2].value_or(0);
        made.heavy = condition.thresholds[3].value_or(0);
        made.emergency = condition.thresholds[4].value_or(0);
        c.conditions.push_back(std::move(made));
    }
    const auto levels = gateway::default_level_actions();
    c.light = level_config(levels[1]);
    c.medium = level_config(levels[2]);
    c.heavy = level_config(levels[3]);
    c.emergency = level_config(levels[4]);
    return c;
}

void describe(config::Fields& f, DegradationConditionConfig& c) {
    f.field("name", c.name, "What events and the page call it.");
    f.required("name");
    f.check("name", c.name.empty() || is_plain_name(c.name), "must be letters, digits, '_', '.', '-', at most 64");
    f.field("query", c.query,
            "PromQL. A result with a label `pool` speaks of that pool only, any other of all; of several the largest "
            "counts, and none counts as well.");
    f.required("query");
    const auto good = c.query.empty() ? Result<Unit>(Unit{}) : promql::Engine().check(c.query);
    f.check("query", good.has_value(), good ? "" : good.error().message);
    f.field("light", c.light, "From this value on the level is light; 0: never.");
    f.field("medium", c.medium, "The same for medium.");
    f.field("heavy", c.heavy, "The same for heavy.");
    f.field("emergency", c.emergency, "The same for emergency.");
    double before = 0;
    bool any = false;
    for (const double threshold : thresholds(c)) {
        if (threshold <= 0) continue;
        f.check("name", threshold >= before, "has a threshold that is below that of a lighter level");
        before = threshold;
        any = true;
    }
    f.check("name", any, "needs a threshold: light, medium, heavy or emergency, above 0");
}

void describe(config::Fields& f, DegradationLevelConfig& c) {
    f.field("drop", c.drop, "Members of the request's body that are left out.");
    f.check("drop", std::find(c.drop.begin(), c.drop.end(), "model") == c.drop.end(), "can't hold 'model'");
    at_least(f, "max_tokens", c.max_tokens, 0, "Cap of the answer's length; 0: none.");
    f.field("max_prompt", c.max_prompt, "Longer prompts are refused with 503; 0: none are.");
    f.field("models", c.models, "Smaller models that answer instead: `big: small`.");
    f.choice("refuse", c.refuse, {"none", "low", "normal", "all"},
             "Requests of this priority class and of lower ones get 503 with Retry-After.");
    f.field(
        "cache_only", c.cache_only,
        "Requests are answered from the cache (see `cache.rules`) or get 503 with Retry-After; the pool's engines do "
        "nothing for them, and of the level's other actions only `answer` counts.");
    f.field("answer", c.answer,
            "Text that chat completions and completions are answered with instead of a 503; empty: the 503.");
}

void describe(config::Fields& f, DegradationConfig& c) {
    f.field("enabled", c.enabled, "Whether conditions change the level. Pinning it by hand works in any case.");
    positive(f, "interval", c.interval, "Time between two looks at the conditions.");
    f.field("raise_after", c.raise_after, "A threshold must be reached for so long without a break.");
    f.field("clear_after", c.clear_after,
            "A level ends when its values have been below `clear_ratio` of their thresholds, or absent, for so long. "
            "One that comes back soon lasts twice as long each time, up to 8 times.");
    f.field("clear_ratio", c.clear_ratio, "Above 0, at most 1.");
    f.check("clear_ratio", c.clear_ratio > 0 && c.clear_ratio <= 1, "must be above 0 and at most 1");
    f.field("exempt_tenants", c.exempt_tenants, "Tenants whose requests are never cut back.");
    f.list("conditions", c.conditions,
           "What raises the level. Given, they stand in place of Stoker's own, which docs/gateway.md lists.");
    std::set<std::string> names;
    for (std::size_t i = 0; i < c.conditions.size(); ++i) {
        f.check(fmt::format("conditions[{}].name", i), names.insert(c.conditions[i].name).second,
                "is the name of another condition already");
    }
    f.object("light", c.light, "What level 1 does to requests. Levels do not add up: each says all that it does.");
    f.object("medium", c.medium, "The same for level 2.");
    f.object("heavy", c.heavy, "The same for level 3.");
    f.object("emergency", c.emergency, "The same for level 4.");
}

void check_degradation(config::Fields& f, const Config& c) {
    std::set<std::string> models;
    for (const PoolConfig& pool : c.pools) models.insert(pool.models.begin(), pool.models.end());
    if (models.empty()) return;  // Discovered ones are not known yet.
    const auto check = [&](const char* level, const DegradationLevelConfig& actions) {
        for (const auto& [big, small] : actions.models) {
            for (const auto& model : {big, small}) {
                f.check(fmt::format("degradation.{}.models", level), models.contains(model),
                        fmt::format("no pool has the model '{}'", model));
            }
        }
    };
    check("light", c.degradation.light);
    check("medium", c.degradation.medium);
    check("heavy", c.degradation.heavy);
    check("emergency", c.degradation.emergency);
}

gateway::DegradationOptions degradation_options(const Config& config) {
    const DegradationConfig& c = config.degradation;
    gateway::DegradationOptions options;
    options.enabled = c.enabled;
    options.interval = c.interval;
    options.raise_after = c.raise_after;
    options.clear_after = c.clear_after;
    options.clear_ratio = c.clear_ratio;
    options.exempt_tenants = c.exempt_tenants;
    for (const DegradationConditionConfig& condition : c.conditions) {
        gateway::DegradationCondition made{.name = condition.name, .query = condition.query};
        const auto given = thresholds(condition);
        for (std::size_t i = 1; i < kDegradationLevels; ++i) {
            if (given[i] > 0) made.thresholds[i] = given[i];
        }
        options.conditions.push_back(std::move(made));
    }
    options.levels = {
        {{}, level_actions(c.light), level_actions(c.medium), level_actions(c.heavy), level_actions(c.emergency)}};
    return options;
}

}  // namespace stoker::app
