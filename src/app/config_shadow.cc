// routing.shadows: whose requests another model gets copies of, and what that may cost.
#include "app/config_checks.h"
#include "app/config_convert.h"
#include "app/config_routing.h"

namespace stoker::app {

void describe(config::Fields& f, ShadowConfig& c) {
    describe(f, c.match);
    f.field("percent", c.percent, "Share of the requests that the conditions are for, drawn at random.");
    f.check("percent", c.percent > 0 && c.percent <= 100, "must be above 0 and at most 100");
    at_least(f, "requests_per_minute", c.requests_per_minute, 0, "Copies a minute; 0 is no limit.");
    at_least(f, "tokens_per_minute", c.tokens_per_minute, 0,
             "Tokens of copies a minute, prompt and answer; 0 is no limit.");
    at_least(f, "tokens_per_day", c.tokens_per_day, 0, "Tokens of copies in one UTC day; 0 is no limit.");
    f.check("tokens_per_day", c.requests_per_minute > 0 || c.tokens_per_minute > 0 || c.tokens_per_day > 0,
            "must be above 0 where no other limit is: copies without a bound would cost without one");
    at_least(f, "concurrent", c.concurrent, 1, "Copies under way at a time.");
    positive(f, "timeout", c.timeout, "For one copy, from its start to the end of its answer.");
    f.field("max_body", c.max_body, "Requests with longer bodies are not copied.");
}

gateway::ShadowOptions shadow_options(const ShadowConfig& c) {
    gateway::ShadowOptions shadow;
    shadow.match = rule_options(c.match);
    shadow.percent = c.percent;
    shadow.limits.requests_per_minute = c.requests_per_minute;
    shadow.limits.tokens_per_minute = c.tokens_per_minute;
    shadow.limits.tokens_per_day = c.tokens_per_day;
    shadow.limits.concurrent_requests = c.concurrent;
    shadow.timeout = c.timeout;
    shadow.max_body_bytes = c.max_body.count;
    return shadow;
}

}  // namespace stoker::app
