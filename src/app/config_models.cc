// models: what holds for one model, whatever pool serves it.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "app/config.h"
#include "base/text.h"
#include "gateway/route/fallback.h"

namespace stoker::app {

std::vector<std::string> served_models(const std::vector<PoolConfig>& pools) {
    std::vector<std::string> models;
    for (const PoolConfig& pool : pools) models.insert(models.end(), pool.models.begin(), pool.models.end());
    return models;
}

std::vector<std::string> served_destinations(const std::vector<PoolConfig>& pools) {
    std::vector<std::string> names = served_models(pools);
    for (const PoolConfig& pool : pools) names.push_back(std::string(gateway::kPoolPrefix) + pool.name);
    return names;
}

namespace {

void check_served(config::Fields& f, const std::string& key, const std::string& model,
                  const std::vector<std::string>& served) {
    const bool known = std::find(served.begin(), served.end(), model) != served.end();
    const auto nearest = known ? std::nullopt : nearest_name(model, served);
    f.check(key, known,
            fmt::format("no pool serves a model '{}'{}", model,
                        nearest ? fmt::format("; did you mean '{}'?", *nearest) : ""));
}

}  // namespace

void describe(config::Fields& f, FallbackConfig& c) {
    f.field("to", c.to,
            "The model that takes over, of the same pool or another one; `pool:NAME` is the same model there, or that "
            "pool's "
            "first.");
    f.required("to");
    f.field("on", c.on,
            "Why: `down` (no replica takes requests, or all that were tried failed), `overloaded` (they said 429 or "
            "503), `context_too_long` (the prompt is longer than the model takes), `content_refused` (its policy or "
            "filter refused what was asked).");
    f.check("on", !c.on.empty(), "must name at least one cause");
    f.field("allowed_only", c.allowed_only,
            "Whether it is for those alone whose key and tenant may ask for that model by name. Otherwise it answers "
            "for everybody who may ask for the model that it stands in for.");
    for (std::size_t i = 0; i < c.on.size(); ++i) {
        f.check(
            fmt::format("on[{}]", i), gateway::parse_fallback_cause(c.on[i]).has_value(),
            fmt::format("expected one of down, overloaded, context_too_long, content_refused, found '{}'", c.on[i]));
    }
}

void describe(config::Fields& f, ModelConfig& c) {
    f.field("name", c.name, "One of the names that a pool lists under `models`.");
    f.required("name");
    f.list("fallback", c.fallback,
           "Models that take over where this one can't serve a request, in the order in which they are tried: each is "
           "tried if what was tried before it ended by one of its causes. Only until the client has its first byte. "
           "Fallbacks of a fallback are not followed: the list is the whole chain.");
    f.object("deadlines", c.deadlines,
             "Where this model's requests may take longer, or less long, than its pool's do.");
    for (std::size_t i = 0; i < c.fallback.size(); ++i) {
        f.check(fmt::format("fallback[{}].to", i), c.fallback[i].to.empty() || c.fallback[i].to != c.name,
                "is the model itself");
    }
}

void check_models(config::Fields& f, const Config& c) {
    const auto served = served_models(c.pools);
    const auto destinations = served_destinations(c.pools);
    std::set<std::string> names;
    for (std::size_t m = 0; m < c.models.size(); ++m) {
        const ModelConfig& model = c.models[m];
        f.check(fmt::format("models[{}].name", m), names.insert(model.name).second,
                fmt::format("the model '{}' is described already", model.name));
        if (c.pools.empty()) continue;  // Engines that are found bring their models with them.
        check_served(f, fmt::format("models[{}].name", m), model.name, served);
        for (std::size_t i = 0; i < model.fallback.size(); ++i) {
            check_served(f, fmt::format("models[{}].fallback[{}].to", m, i), model.fallback[i].to, destinations);
        }
    }
}

}  // namespace stoker::app
