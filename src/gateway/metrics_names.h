// The names of the gateway's metrics, each written once.
#pragma once

namespace stoker::gateway::names {

inline constexpr char kRequests[] = "llm_requests_total";
inline constexpr char kDuration[] = "llm_request_duration_seconds";
inline constexpr char kTimeToFirstToken[] = "llm_time_to_first_token_seconds";
inline constexpr char kInterTokenLatency[] = "llm_inter_token_latency_seconds";
inline constexpr char kTokens[] = "llm_tokens_total";
inline constexpr char kActive[] = "llm_active_requests";
inline constexpr char kAttempts[] = "stoker_gateway_attempts_total";
inline constexpr char kAuthFailures[] = "stoker_gateway_auth_failures_total";
inline constexpr char kTokenChecks[] = "stoker_gateway_token_checks_total";
inline constexpr char kPicks[] = "stoker_gateway_picks_total";
inline constexpr char kPrefixTokens[] = "stoker_gateway_prefix_tokens_total";
inline constexpr char kOverhead[] = "stoker_gateway_overhead_seconds";
inline constexpr char kContinuations[] = "stoker_gateway_continuations_total";
inline constexpr char kLedger[] = "stoker_gateway_ledger_tokens_total";
inline constexpr char kRetries[] = "stoker_gateway_retries_total";
inline constexpr char kHedges[] = "stoker_gateway_hedges_total";
inline constexpr char kReplicaWeight[] = "stoker_gateway_replica_weight";
inline constexpr char kWasted[] = "stoker_gateway_wasted_tokens_total";
inline constexpr char kOutstanding[] = "stoker_gateway_replica_outstanding";
inline constexpr char kReplicaState[] = "stoker_gateway_replica_state";
inline constexpr char kReplicaEvents[] = "stoker_gateway_replica_events_total";
inline constexpr char kLimitRefusals[] = "stoker_gateway_limit_refusals_total";
inline constexpr char kLimitUsed[] = "stoker_gateway_limit_used";
inline constexpr char kLimit[] = "stoker_gateway_limit";
inline constexpr char kLimitTokens[] = "stoker_gateway_limit_tokens_total";
inline constexpr char kLimitShared[] = "stoker_gateway_limits_shared";
inline constexpr char kLimitGateways[] = "stoker_gateway_limits_gateways";
inline constexpr char kLimitShare[] = "stoker_gateway_limits_share";
inline constexpr char kLimitRedisFailures[] = "stoker_gateway_limits_redis_failures_total";
inline constexpr char kLimitRedisSeconds[] = "stoker_gateway_limits_redis_seconds";
inline constexpr char kQueueWait[] = "stoker_gateway_queue_wait_seconds";
inline constexpr char kQueueRefused[] = "stoker_gateway_queue_refused_total";
inline constexpr char kQueueWaiting[] = "stoker_gateway_queue_waiting";
inline constexpr char kQueueRunning[] = "stoker_gateway_queue_running";
inline constexpr char kQueueLimit[] = "stoker_gateway_queue_limit";
inline constexpr char kRouted[] = "stoker_gateway_routed_total";
inline constexpr char kCanaryPercent[] = "stoker_gateway_canary_percent";
inline constexpr char kCanaryChanges[] = "stoker_gateway_canary_changes_total";
inline constexpr char kShadowRequests[] = "stoker_gateway_shadow_requests_total";
inline constexpr char kShadowSkipped[] = "stoker_gateway_shadow_skipped_total";
inline constexpr char kShadowDifferences[] = "stoker_gateway_shadow_differences_total";
inline constexpr char kShadowTokens[] = "stoker_gateway_shadow_tokens_total";

}  // namespace stoker::gateway::names
