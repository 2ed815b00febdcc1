// The keys that issuers of tokens sign with: fetched, looked at again now and then, and at once when a token names one
// that is not known.
//
// The last good set stays in force while an issuer can't be reached, over restarts too: it is kept in the state store.
// configure() is thread-safe; look() is for one thread and blocks, at most for the issuers' timeouts.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/issuer_source.h"
#include "base/metrics.h"
#include "base/sync.h"
#include "base/time.h"
#include "crypto/jwk.h"
#include "state/state_store.h"

namespace stoker::app {

// The text of the issuer's set of keys. Errors name what was asked and what came.
Result<std::string> fetch_issuer_keys(const IssuerSource& source);

class IssuerKeyFetcher {
public:
    // Takes a set for an issuer; null: a fetch brought nothing new, and those who wait for one need wait no longer.
    using Take = std::function<void(const std::string& issuer, std::shared_ptr<const crypto::KeySet> keys)>;

    // `store` and `registry` outlive it.
    IssuerKeyFetcher(state::StateStore& store, Take take, metrics::Registry& registry);

    // Follows these from now on, those that are new or changed at once; gives out what was kept of them.
    void configure(const std::vector<IssuerSource>& sources);

    // Fetches what is due or `wanted`. To be called a few times a second.
    void look(const std::vector<std::string>& wanted, SteadyTime now);

private:
    struct Followed {
        IssuerSource source;
        std::string text;  // Of the set in force; empty: none.
        SteadyTime due{};
        Duration backoff{0};
    };

    std::vector<IssuerSource> due(const std::vector<std::string>& wanted, SteadyTime now) const;
    void fetch(const IssuerSource& source);
    void restore(Followed& followed) REQUIRES_LOCK(mutex_);
    // Null if it is what is in force already. Errors: of KeySet::parse.
    Result<std::shared_ptr<const crypto::KeySet>> accept(Followed& followed, std::string text) REQUIRES_LOCK(mutex_);

    state::StateStore& store_;
    const Take take_;
    metrics::Family<metrics::Counter>& fetches_;
    metrics::Family<metrics::Gauge>& fetched_at_;
    mutable Mutex mutex_;
    std::map<std::string, Followed, std::less<>> followed_ GUARDED_BY(mutex_);
};

}  // namespace stoker::app
