// Which agents send here, and the tokens that let them: kept in the state store.
//
// A token is "sk-agent-ID-SECRET"; its SHA-256 is kept, never itself. An agent is known by the name it gives itself in
// X-Stoker-Agent; who has a valid token may use any name. When agents were seen is written down every minute or so.
// Thread-safe; create, revoke and forget block for a disk write.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/sync.h"
#include "base/time.h"
#include "state/state_store.h"

namespace stoker::app {

struct AgentToken {
    std::string id{};
    std::string name{};  // For people: whose it is.
    std::string hash{};  // SHA-256 of the token, 64 hex digits.
    Timestamp created{};
    std::optional<Timestamp> expires{};
    std::optional<Timestamp> revoked{};
    std::optional<Timestamp> last_used{};

    // "active", "expired" or "revoked".
    std::string_view state(Timestamp now) const;
};

struct KnownAgent {
    std::string name{};
    std::string token{};    // The id of the one it used last; empty: none.
    std::string version{};  // As its User-Agent says it.
    Timestamp first_seen{};
    Timestamp last_seen{};
    std::uint64_t requests = 0;  // Since this Stoker started.
    std::uint64_t bytes = 0;     // The same, as they came.
};

class AgentBook {
public:
    static constexpr std::size_t kMostAgents = 10'000;
    static constexpr std::size_t kMostTokens = 10'000;
    static constexpr std::string_view kPrefix = "sk-agent-";

    // Errors: those of the store; an entry that can't be read is logged and left out. REQUIRES: both outlive it.
    static Result<std::unique_ptr<AgentBook>> open(state::StateStore& store, metrics::Registry& registry);

    struct Issued {
        AgentToken token;
        std::string secret;  // The whole token, this once.
    };
    // Errors: InvalidArgument (the name), ResourceExhausted, the store's.
    Result<Issued> create(const std::string& name, std::optional<Timestamp> expires, Timestamp now);
    // Nothing passes with it from now on. Revoking twice is no error. Errors: NotFound, the store's.
    Result<AgentToken> revoke(const std::string& id, Timestamp now);
    // Leaves an agent that is gone for good out of the list and its alert. Errors: NotFound, the store's.
    Result<Unit> forget(const std::string& agent);

    std::vector<AgentToken> tokens() const;  // Oldest first.
    std::vector<KnownAgent> agents() const;  // By name.

    // One request: its Authorization, X-Stoker-Agent and User-Agent, empty where it had none. What is no agent's token
    // is somebody else's business and passes, unless `token_needed`. Errors: PermissionDenied, with what to do.
    Result<Unit> admit(std::string_view authorization, std::string_view agent, std::string_view version,
                       std::size_t bytes, bool token_needed, Timestamp now);

    // Keeps when agents were seen. Call it every minute or so. Errors: the store's.
    Result<Unit> save();

private:
    AgentBook(state::StateStore& store, metrics::Registry& registry);
    Result<Unit> load();
    Result<AgentToken*> holder(std::string_view secret, Timestamp now) REQUIRES_LOCK(mutex_);
    void show(const KnownAgent& agent) REQUIRES_LOCK(mutex_);

    state::StateStore& store_;
    metrics::Family<metrics::Gauge>& seen_;
    metrics::Family<metrics::Counter>& refused_;
    mutable Mutex mutex_;
    std::map<std::string, AgentToken, std::less<>> tokens_ GUARDED_BY(mutex_);
    std::map<std::string, KnownAgent, std::less<>> agents_ GUARDED_BY(mutex_);
    Timestamp saved_ GUARDED_BY(mutex_){};  // Agents seen since then are not on disk yet.
};

}  // namespace stoker::app
