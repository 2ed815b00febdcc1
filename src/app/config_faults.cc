// pools[].deadlines, retries, hedge, breaker and outliers; models[].deadlines.
#include "app/config_faults.h"

#include "app/config_checks.h"

namespace stoker::app {
namespace {

// 0 to 1.
void share(config::Fields& f, std::string_view key, double& value, std::string_view doc) {
    f.field(key, value, doc);
    f.check(key, value >= 0 && value <= 1, "must be from 0 to 1");
}

void not_negative(config::Fields& f, std::string_view key, double& value, std::string_view doc) {
    f.field(key, value, doc);
    f.check(key, value >= 0, "must not be negative");
}

}  // namespace

void describe(config::Fields& f, DeadlinesConfig& c) {
    positive(f, "connect", c.connect, "To connect to a replica.");
    positive(f, "first_byte", c.first_byte,
             "Streams: from a request sent to the head of the answer; then another replica is tried.");
    f.field("first_token", c.first_token,
            "Streams: from a request sent to the first event with content; then another replica is tried. 0 is as "
            "`first_byte`.");
    positive(f, "whole", c.whole,
             "The same for answers that are not streamed: to the answer's head, which comes when it is all generated.");
    positive(f, "between", c.between,
             "Between two events of a stream; past it the stream goes on from another replica, or ends with an error.");
    positive(f, "total", c.total, "For the whole request, all attempts together.");
    f.check("total", c.total >= c.first_byte, "must not be shorter than `first_byte`");
    f.check("total", c.total >= c.first_token, "must not be shorter than `first_token`");
}

void describe(config::Fields& f, ModelDeadlinesConfig& c) {
    f.field("connect", c.connect, "To connect to a replica; 0, here and below, is as the model's pool.");
    f.field("first_byte", c.first_byte, "Streams: to the head of the answer.");
    f.field("first_token", c.first_token, "Streams: to the first event with content.");
    f.field("whole", c.whole, "Other answers: to the head.");
    f.field("between", c.between, "Streams: between two events.");
    f.field("total", c.total, "The whole request, all attempts together.");
    f.field("queue", c.queue, "Waiting for a place in the pool; 0 is as the pool's `admission.timeout`.");
}

void describe(config::Fields& f, RetriesConfig& c) {
    at_least(f, "max_attempts", c.max_attempts, 1, "Attempts per request until its first byte; 1 never retries.");
    f.field("backoff_base", c.backoff_base, "Wait before the same replica is asked again; doubles, with jitter.");
    f.field("backoff_max", c.backoff_max, "Longest such wait.");
    f.check("backoff_max", c.backoff_max >= c.backoff_base, "must not be shorter than `backoff_base`");
    share(f, "budget_share", c.budget_share,
          "Retries of all the pool's requests together: at most this share of the requests of the last 10 s, and");
    not_negative(f, "budget_per_second", c.budget_per_second, "so many a second more.");
    f.field("retry_after_max", c.retry_after_max,
            "How long a replica is avoided at most because it said so with Retry-After.");
}

void describe(config::Fields& f, HedgeConfig& c) {
    f.field(
        "after", c.after,
        "How long a request may be without a first token (without an answer, where it is not streamed) before it is "
        "sent to a second replica too; the first that answers is the client's. 0: never, unless `percentile` is "
        "set, and then it is the least.");
    share(f, "percentile", c.percentile,
          "Instead of a fixed time, that by which this share of the pool's first tokens came in the last minute: 0.95 "
          "hedges the slowest twentieth. Nothing is hedged before there were 50.");
    f.check("percentile", c.percentile < 1, "must be less than 1");
    share(f, "budget_share", c.budget_share,
          "Second attempts of all the pool's requests together: at most this share of the requests of the last 10 s, "
          "and");
    not_negative(f, "budget_per_second", c.budget_per_second, "so many a second more.");
}

void describe(config::Fields& f, BreakerConfig& c) {
    at_least(f, "consecutive", c.consecutive, 0,
             "Requests in a row that fail by the replica's fault and open its circuit; 0: never by these.");
    share(f, "failure_share", c.failure_share, "Share of the requests of `window` that does the same; 0: never.");
    at_least(f, "min_requests", c.min_requests, 1, "Requests in the window before their share counts.");
    positive(f, "window", c.window, "How far back that share looks.");
    positive(f, "open_for", c.open_for,
             "How long an open circuit takes nothing; then one request tries it. Doubles when it opens again soon.");
    positive(f, "open_max", c.open_max, "Longest such time; closed for so long, earlier openings are forgotten.");
    f.check("open_max", c.open_max >= c.open_for, "must not be shorter than `open_for`");
    f.field("slow_start", c.slow_start,
            "How long a replica that is back takes to get all of its share of requests; 0: at once.");
}

void describe(config::Fields& f, OutliersConfig& c) {
    positive(f, "interval", c.interval, "Time between two looks, and how far back each looks.");
    share(f, "failure_share", c.failure_share,
          "Share of a replica's requests that must have failed for it to be an outlier; 0: failures make none.");
    not_negative(f, "failure_ratio", c.failure_ratio, "How many times the share of the others that must be.");
    not_negative(
        f, "latency_ratio", c.latency_ratio,
        "How many times as long as the others it must take to the first token, for the same amount of prompt, to "
        "be an outlier; 0: latency makes none.");
    at_least(f, "min_requests", c.min_requests, 1, "Requests in the interval before a replica is judged.");
    share(f, "max_ejection", c.max_ejection,
          "Share of the pool that may be out at once, for whatever reason, for another one to be taken out so. One may "
          "always be; 0: none is.");
}

gateway::DeadlineOptions deadline_options(const DeadlinesConfig& c) {
    return {.connect = c.connect,
            .first_byte = c.first_byte,
            .first_token = c.first_token,
            .whole = c.whole,
            .between = c.between,
            .total = c.total};
}

gateway::DeadlineOverrides deadline_overrides(const ModelDeadlinesConfig& c) {
    const auto own = [](Duration value) { return value > Duration{0} ? std::optional(value) : std::nullopt; };
    return {.connect = own(c.connect),
            .first_byte = own(c.first_byte),
            .first_token = own(c.first_token),
            .whole = own(c.whole),
            .between = own(c.between),
            .total = own(c.total),
            .queue = own(c.queue)};
}

gateway::RetryOptions retry_options(const RetriesConfig& c) {
    return {.max_attempts = static_cast<int>(c.max_attempts),
            .backoff_base = c.backoff_base,
            .backoff_max = c.backoff_max,
            .budget_share = c.budget_share,
            .budget_per_second = c.budget_per_second,
            .retry_after_max = c.retry_after_max};
}

gateway::HedgeOptions hedge_options(const HedgeConfig& c) {
    return {.after = c.after,
            .percentile = c.percentile,
            .budget_share = c.budget_share,
            .budget_per_second = c.budget_per_second};
}

gateway::BreakerOptions breaker_options(const BreakerConfig& c) {
    return {.consecutive = static_cast<int>(c.consecutive),
            .failure_share = c.failure_share,
            .min_requests = static_cast<int>(c.min_requests),
            .window = c.window,
            .open_for = c.open_for,
            .open_max = c.open_max,
            .slow_start = c.slow_start};
}

gateway::OutlierOptions outlier_options(const OutliersConfig& c) {
    return {.interval = c.interval,
            .failure_share = c.failure_share,
            .failure_ratio = c.failure_ratio,
            .latency_ratio = c.latency_ratio,
            .min_requests = static_cast<int>(c.min_requests),
            .max_ejection = c.max_ejection};
}

}  // namespace stoker::app
