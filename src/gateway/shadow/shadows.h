// Shadow traffic: copies of some requests go to another model too, and what it answers is compared and thrown away.
//
// The client never waits for a copy and never pays for one: it is made once the request is admitted, runs on the
// request's loop beside it, takes nothing of anybody's limits, and stands in a record of its own. It costs at most what
// its shadow allows (requests and tokens a minute, tokens a day, copies under way), is not made while its pool or the
// request's is degraded, is asked once and never again, and ends at its deadline or with the gateway.
//
// Thread-safe, save for what is said to belong to a loop.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "base/snapshot.h"
#include "gateway/limit/limiter.h"
#include "gateway/route/routing_options.h"
#include "gateway/shadow/shadow_log.h"

namespace stoker::gateway {

class Core;
class RequestContext;

// A pair that is still open, and whose it is. Belongs to the request's loop.
struct ShadowLink {
    std::string shadow;
    std::shared_ptr<ShadowLog> log;
    ShadowPair pair;
};

class Shadows {
public:
    explicit Shadows(metrics::Registry& registry);

    // From now on; those that keep their name keep their counts.
    void configure(const std::vector<ShadowOptions>& shadows);
    std::shared_ptr<ShadowLog> find(const std::string& shadow) const;

    // Takes a copy's share of what its shadow may cost, and counts the copy as alive until its Alive goes.
    // Empty: there is no room, which is counted.
    class Alive;
    std::optional<LimitReservation> reserve(const std::string& shadow, ShadowLog& log, std::int64_t tokens);
    void settle(const LimitReservation& reservation, std::int64_t used, bool reached_engine);
    std::shared_ptr<Alive> begin();

    void skipped(const std::string& shadow, ShadowLog& log, ShadowSkip reason);
    void ended(const ShadowLink& link, ShadowEnd end, std::int64_t prompt_tokens, std::int64_t completion_tokens);
    // To be called by each side of the pair once it is filled in.
    void look(const ShadowLink& link);

    // {"shadows":[{"name","to","percent","limits":[...],...ShadowLog}]}
    std::string to_json();

    bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
    // Ends all copies and waits, at most `limit`. REQUIRES: called from no loop.
    void stop(Core& core, Duration limit);

private:
    struct Living;
    struct Entry {
        ShadowOptions options;
        std::shared_ptr<ShadowLog> log;
    };
    using Book = std::unordered_map<std::string, Entry>;

    metrics::Family<metrics::Counter>& requests_;
    metrics::Family<metrics::Counter>& skips_;
    metrics::Family<metrics::Counter>& differences_;
    metrics::Family<metrics::Counter>& tokens_;
    Limiter budget_;  // A shadow is what a model is to it.
    Snapshot<Book> book_;
    const std::shared_ptr<Living> living_;
    std::atomic<bool> stopping_{false};
};

// Makes a copy of the request if a shadow is for it, and sends it on its way. REQUIRES: the request was admitted.
void start_shadow(RequestContext& context);

}  // namespace stoker::gateway
