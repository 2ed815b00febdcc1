// What a pool does about replicas that fail, and how long each part of a request may take, as stoker.yaml says it. Part
// of Config.
#pragma once

#include <cstdint>

#include "base/config.h"
#include "base/time.h"
#include "gateway/options.h"

namespace stoker::app {

struct DeadlinesConfig {
    Duration connect = gateway::DeadlineOptions{}.connect;
    Duration first_byte = gateway::DeadlineOptions{}.first_byte;
    Duration first_token = gateway::DeadlineOptions{}.first_token;
    Duration whole = gateway::DeadlineOptions{}.whole;
    Duration between = gateway::DeadlineOptions{}.between;
    Duration total = gateway::DeadlineOptions{}.total;
};

// Of one model; 0 is as its pool.
struct ModelDeadlinesConfig {
    Duration connect{0};
    Duration first_byte{0};
    Duration first_token{0};
    Duration whole{0};
    Duration between{0};
    Duration total{0};
    Duration queue{0};
};

struct RetriesConfig {
    std::int64_t max_attempts = gateway::RetryOptions{}.max_attempts;
    Duration backoff_base = gateway::RetryOptions{}.backoff_base;
    Duration backoff_max = gateway::RetryOptions{}.backoff_max;
    double budget_share = gateway::RetryOptions{}.budget_share;
    double budget_per_second = gateway::RetryOptions{}.budget_per_second;
    Duration retry_after_max = gateway::RetryOptions{}.retry_after_max;
};

struct HedgeConfig {
    Duration after = gateway::HedgeOptions{}.after;
    double percentile = gateway::HedgeOptions{}.percentile;
    double budget_share = gateway::HedgeOptions{}.budget_share;
    double budget_per_second = gateway::HedgeOptions{}.budget_per_second;
};

struct BreakerConfig {
    std::int64_t consecutive = gateway::BreakerOptions{}.consecutive;
    double failure_share = gateway::BreakerOptions{}.failure_share;
    std::int64_t min_requests = gateway::BreakerOptions{}.min_requests;
    Duration window = gateway::BreakerOptions{}.window;
    Duration open_for = gateway::BreakerOptions{}.open_for;
    Duration open_max = gateway::BreakerOptions{}.open_max;
    Duration slow_start = gateway::BreakerOptions{}.slow_start;
};

struct OutliersConfig {
    Duration interval = gateway::OutlierOptions{}.interval;
    double failure_share = gateway::OutlierOptions{}.failure_share;
    double failure_ratio = gateway::OutlierOptions{}.failure_ratio;
    double latency_ratio = gateway::OutlierOptions{}.latency_ratio;
    std::int64_t min_requests = gateway::OutlierOptions{}.min_requests;
    double max_ejection = gateway::OutlierOptions{}.max_ejection;
};

void describe(config::Fields& f, DeadlinesConfig& c);
void describe(config::Fields& f, ModelDeadlinesConfig& c);
void describe(config::Fields& f, RetriesConfig& c);
void describe(config::Fields& f, HedgeConfig& c);
void describe(config::Fields& f, BreakerConfig& c);
void describe(config::Fields& f, OutliersConfig& c);

gateway::DeadlineOptions deadline_options(const DeadlinesConfig& c);
gateway::DeadlineOverrides deadline_overrides(const ModelDeadlinesConfig& c);
gateway::RetryOptions retry_options(const RetriesConfig& c);
gateway::HedgeOptions hedge_options(const HedgeConfig& c);
gateway::BreakerOptions breaker_options(const BreakerConfig& c);
gateway::OutlierOptions outlier_options(const OutliersConfig& c);

}  // namespace stoker::app
