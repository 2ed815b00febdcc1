// The conversion of what the configuration says of models and of the ways between them.
#include "app/config_convert.h"
#include "gateway/route/fallback.h"

namespace stoker::app {

gateway::ModelOptions model_options(const ModelConfig& c) {
    gateway::ModelOptions options;
    options.name = c.name;
    options.deadlines = deadline_overrides(c.deadlines);
    for (const FallbackConfig& fallback : c.fallback) {
        gateway::FallbackOptions& made = options.fallback.emplace_back();
        made.to = fallback.to;
        made.on = {};
        made.allowed_only = fallback.allowed_only;
        for (const std::string& cause : fallback.on) {
            if (const auto known = gateway::parse_fallback_cause(cause)) made.on.add(*known);
        }
    }
    return options;
}

}  // namespace stoker::app
