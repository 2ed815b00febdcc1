// What the gateway can be told, as plain values with their defaults. `app` fills them from the configuration file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "gateway/admission/admission_options.h"
#include "gateway/balance/balance_options.h"
#include "gateway/route/fallback.h"
#include "gateway/route/routing_options.h"
#include "gateway/upstream/provider.h"

namespace stoker::gateway {

class ContentScanner;
class PriceHook;

// When a replica counts as dead or hung. See health.h for what each number does.
struct HealthOptions {
    bool probed = true;             // False: nothing is asked, and only real requests say how a replica is.
    std::string path = "/health";   // Any status below 500 is healthy: an engine without this path is still alive.
    Duration interval{1'000};       // Between probes; half of it after a failed one.
    Duration timeout{1'000};        // For one probe.
    int unhealthy_after = 2;        // Failed probes in a row.
    int healthy_after = 2;          // Good probes in a row.
    int refused_after = 2;          // Connections of real requests refused in a row.
    Duration stall_after{15'000};   // Silence of every stream that had begun.
    Duration silent_after{60'000};  // Silence while streams wait for their first byte only, or while nothing is
                                    // streamed and the engine's own counters stand still.
    Duration probe_answer{10'000};  // For the one-token request that a replica found hung must answer.
};

// When real requests, and not only probes, say that a replica should be left alone. See breaker.h.
struct BreakerOptions {
    int consecutive = 5;         // Failures in a row; 0: never by these.
    double failure_share = 0.5;  // Of the requests of `window`; 0: never by these.
    int min_requests = 20;       // In the window, before a share counts.
    Duration window{10'000};
    Duration open_for{5'000};     // The first time; doubles each time that it opens again soon.
    Duration open_max{120'000};   // At most; closed for so long, earlier openings are forgotten.
    Duration slow_start{15'000};  // From a tenth of its share to all of it, after any time out; 0: at once.
};

// When a replica is so much worse than its pool that it is left alone. See outliers.h.
struct OutlierOptions {
    Duration interval{10'000};   // Between two looks, and how far back each looks.
    double failure_share = 0.2;  // Of its requests, at least; 0: failures don't make outliers.
    double failure_ratio = 3;    // Times the share of the others.
    double latency_ratio =
        10;                 // Times as long to first tokens, for the same prompts; 0: latency doesn't make outliers.
    int min_requests = 20;  // In the interval.
    double max_ejection = 0.5;  // Share of the pool that may be out at once; 0: nobody is ever ejected.
};

struct DeadlineOptions {
    Duration connect{2'000};
    Duration first_byte{60'000};  // Streams: from the request sent to the answer's head.
    Duration first_token{0};      // Streams: from the request sent to the first event with content; 0: as first_byte.
    Duration whole{300'000};      // Other answers: from the request sent to the answer's head.
    Duration between{30'000};     // Streams: between two events.
    Duration total{600'000};      // The whole request, all attempts together.
    Duration queue{0};            // Waiting for a place in the pool; 0: as its admission has it.
};

struct RetryOptions {
    int max_attempts = 3;
    Duration backoff_base{100};  // Before the same replica is asked again; doubles, with jitter.
    Duration backoff_max{2'000};
    // Of all requests together: retries may be this share of the requests of the last 10 s, and so many a second more.
    double budget_share = 0.2;
    double budget_per_second = 5;
    Duration retry_after_max{60'000};  // How long a replica may be avoided because it says so.
};

// When a request that is slow to begin is sent to a second replica too. See hedge.h.
struct HedgeOptions {
    Duration after{0};      // Without a first token; where `percentile` is set, not sooner than this.
    double percentile = 0;  // Once this share of the pool's first tokens of late would have come; 0: by `after` alone.
    // Of all requests together: hedges may be this share of the requests of the last 10 s, and so many a second more.
    double budget_share = 0.05;
    double budget_per_second = 0.1;

    bool on() const { return after > Duration{0} || percentile > 0; }
};

// What a model has of its own; what is absent is as its pool has it.
struct DeadlineOverrides {
    std::optional<Duration> connect{};
    std::optional<Duration> first_byte{};
    std::optional<Duration> first_token{};
    std::optional<Duration> whole{};
    std::optional<Duration> between{};
    std::optional<Duration> total{};
    std::optional<Duration> queue{};
};

// Whether a replica goes on with a chat that another one has begun to answer.
enum class ContinuationMode : std::uint8_t {
    Auto,  // If it is an engine that is known to.
    On,
    Off
};

struct ContinuationOptions {
    int max = 2;  // How often one stream may be continued; 0: never.
};

struct ReplicaOptions {
    std::string url{};    // http://127.0.0.1:9001; a path is put before the endpoint's own.
    std::string model{};  // The engine's own name for the model; empty: what the client sent.
    ContinuationMode continuation = ContinuationMode::Auto;
    // Sent upstream instead of the client's Authorization; empty: the client's is passed on, or the provider's is sent.
    std::string api_key{};
    // LoRA adapters that it has, of engines that do not list them; asked for as its kind of engine wants it.
    std::vector<std::string> adapters{};
};

struct PoolOptions {
    std::string name{};
    std::vector<std::string> models{};  // Names that clients use; each belongs to one pool.
    std::vector<ReplicaOptions> replicas{};
    HealthOptions health{};
    BreakerOptions breaker{};
    OutlierOptions outliers{};
    DeadlineOptions deadlines{};
    RetryOptions retry{};
    HedgeOptions hedge{};
    BalanceOptions balance{};
    ContinuationOptions continuation{};
    std::optional<ProviderOptions> provider{};  // Whose replicas these are; empty: our own engines.
    AdmissionOptions admission{};
};

// Another model that takes a request over which this one could not serve.
struct FallbackOptions {
    std::string to{};
    FallbackCauses on{FallbackCause::Down, FallbackCause::Overloaded};
    bool allowed_only = false;  // For nobody who may not ask for it by name.
};

// What holds for one model, whatever pool serves it.
struct ModelOptions {
    std::string name{};
    std::vector<FallbackOptions> fallback{};  // In order; each is tried if what came before ended by one of its causes.
    DeadlineOverrides deadlines{};
};

// Everything that a reload may change. What names a model that no pool serves is passed over: engines that are found,
// not configured, come and go.
struct Routes {
    std::vector<PoolOptions> pools{};
    std::vector<ModelOptions> models{};
    RoutingOptions routing{};
};

struct GatewayOptions {
    std::size_t max_body_bytes = 64 * 1024 * 1024;
    std::size_t hold_answer_bytes =
        1024 * 1024;  // Answers up to this are kept back until whole, so that a cut is retried.
    std::size_t usage_tail_bytes = 64 * 1024;  // Of a longer answer, kept to find its usage.
    std::size_t max_event_bytes = 4 * 1024 * 1024;
    Duration error_linger{250};                 // For the client to read an error event before its connection is cut.
    std::shared_ptr<ContentScanner> scanner{};  // hooks/content_scanner.h; null: nobody looks.
    std::shared_ptr<PriceHook> price{};         // hooks/price_hook.h; null: nobody counts.
};

}  // namespace stoker::gateway
