// pools[].balance: which replica of a pool gets a request.
#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_convert.h"

namespace stoker::app {

void describe(config::Fields& f, BalanceConfig& c) {
    std::vector<std::string> kinds;
    for (const auto kind : gateway::all_balance_kinds()) kinds.emplace_back(to_string(kind));
    f.choice("policy", c.policy, std::move(kinds),
             "How the pool chooses among its replicas; docs/gateway.md says when which one fits.");
    f.field("session_header", c.session_header,
            "Request header that names a session; without it the body's `user` does, else the key. For `session` and "
            "`bounded_hash`.");
    f.field("load_factor", c.load_factor,
            "How much more than its share of the requests under way a session's or prefix's favourite may have before "
            "another one is taken. For `bounded_hash` and `prefix`.");
    f.check("load_factor", c.load_factor >= 1, "must be at least 1");
    f.field("load_slack", c.load_slack,
            "So many requests more than that, so that a quiet pool keeps to prefixes. For `prefix`.");
    f.check("load_slack", c.load_slack >= 0, "must not be negative");
    f.field("prefix_memory", c.prefix_memory,
            "Memory for what is known of cached prompts, per pool. For `score` and `prefix`.");
    f.check("prefix_memory", c.prefix_memory.count >= 64 * 1024, "must be at least 64KiB");
    f.check("prefix_memory", c.prefix_memory.count <= (std::uint64_t{4} << 30), "must be at most 4GiB");
    at_least(
        f, "cache_tokens", c.cache_tokens, 64,
        "Tokens that a replica's KV cache holds, for engines whose metrics do not say it. For `score` and `prefix`.");
    positive(f, "stale_after", c.stale_after,
             "Age from which an engine's own numbers (`collect` reads them) no longer count; from half of it on they "
             "count less. Three times `collect.scrape_interval` fits.");
}

gateway::BalanceOptions balance_options(const BalanceConfig& c) {
    gateway::BalanceOptions options;
    options.kind = gateway::parse_balance_kind(c.policy).value_or(options.kind);
    options.session_header = c.session_header;
    options.load_factor = c.load_factor;
    options.load_slack = c.load_slack;
    options.prefix_memory_bytes = c.prefix_memory.count;
    options.cache_tokens = c.cache_tokens;
    options.stale_after = c.stale_after;
    return options;
}

}  // namespace stoker::app
