// Healing policies: what may be done about which trouble, how often, and how one knows that it worked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/time.h"
#include "diagnose/incident.h"

namespace stoker::heal {

// Eject: takes no new traffic. Restart: the supervised command or the systemd unit. WaitHealthy: /health answers again.
// Probe: a real small completion through the replica. Readmit: takes traffic again.
enum class Step : std::uint8_t { Eject, Restart, WaitHealthy, Probe, Readmit };
std::string_view to_string(Step step);  // eject, restart, wait_healthy, probe, readmit
std::optional<Step> step_from(std::string_view name);

// The default proof: the replica serves, and its requests have not failed these 15 s (own metrics come every 5 s).
inline constexpr std::string_view kNormalReplica =
    R"((sum(increase(stoker_gateway_attempts_total{replica="$replica",result!~"ok|cancelled|hedge_lost"}[15s])) or vector(0)) < 1)"
    R"( and on () stoker_gateway_replica_state{replica="$replica",state="serving"} == 1)";

// How success is proven. The query is PromQL that yields something when all is normal, as an alert's `expr` yields
// something when all is not; $replica and $pool stand for the incident's.
struct VerifyConfig {
    std::string query{kNormalReplica};
    Duration within{60'000};  // It must have become true by then,
    Duration hold{3'000};     // and have stayed true for so long.
};
void describe(config::Fields& fields, VerifyConfig& verify);

struct PolicyConfig {
    std::string name;
    std::vector<std::string> on{"engine_down", "engine_hung"};
    std::vector<std::string> alerts;  // With `on: [alert]`: names of the alerts meant.
    std::vector<std::string> pools;   // Empty: every pool.
    std::vector<std::string> steps{"eject", "restart", "wait_healthy", "probe", "readmit"};
    bool dry_run = false;
    bool require_approval = false;
    Duration approval_timeout{60LL * 60 * 1000};
    std::int64_t max_attempts = 3;      // Per replica,
    Duration window{15LL * 60 * 1000};  // in this time; then it escalates.
    Duration backoff{2'000};            // Before the second attempt; doubles with each.
    Duration restart_timeout{60'000};
    Duration wait_healthy{120'000};
    Duration probe_timeout{30'000};
    VerifyConfig verify;
};
void describe(config::Fields& fields, PolicyConfig& policy);

struct HealingConfig {
    bool dry_run = false;                // Over all policies.
    std::int64_t max_concurrent = 4;     // Replicas being healed at a time; others wait.
    double max_unavailable = 0.5;        // Share of a pool that may be out when a *serving* replica is to be taken out.
    std::vector<PolicyConfig> policies;  // First match wins. None: default_policy() alone.
};
void describe(config::Fields& fields, HealingConfig& healing);

// restart-dead-engine: every engine that dies or hangs, with the defaults above.
PolicyConfig default_policy();

// The first policy meant for this incident; null if there is none.
const PolicyConfig* match(const std::vector<PolicyConfig>& policies, const diagnose::Incident& incident);

// The policy's steps in order. REQUIRES: they were checked by describe() or are the defaults; unknown ones are left
// out.
std::vector<Step> steps_of(const PolicyConfig& policy);

// `query` with $replica and $pool replaced, escaped for a double-quoted PromQL string.
std::string fill_in(std::string_view query, const diagnose::Incident& incident);

}  // namespace stoker::heal
