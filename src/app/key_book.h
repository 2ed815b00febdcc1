// All keys of the gateway's clients: those of the configuration file, which only the file changes, and those made at
// run time, kept in the state store. Every change is durable, and in force at the gateway, when its call returns.
//
// The file wins where both have a key of the same id or hash. Thread-safe; calls block for a disk write.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/key_record.h"
#include "app/key_request.h"
#include "base/sync.h"
#include "gateway/auth/keyring.h"
#include "state/state_store.h"

namespace stoker::app {

class KeyBook {
public:
    static constexpr std::size_t kMostKeys = 100'000;

    // The gateway's side: takes keys and tenants (Gateway::apply_auth), says which keys were used since.
    struct Gate {
        std::function<Result<Unit>(const gateway::AuthOptions&)> apply;
        std::function<std::vector<gateway::Keyring::Use>(Timestamp since)> uses;
    };

    // Reads the stored keys; configure() puts them in force. `store` outlives it. Errors: those of the store; a key
    // that can't be read is logged and left out.
    static Result<std::unique_ptr<KeyBook>> open(state::StateStore& store, Gate gate);

    // Takes what the configuration says from now on. Errors: those of Gate::apply; what was before stays in force.
    Result<Unit> configure(gateway::AuthOptions from_file);

    struct Issued {
        ManagedKey key;
        std::string secret;  // The whole key, this once; empty if it was made elsewhere.
    };
    // Errors: InvalidArgument (no such tenant), Conflict (the id or the hash is taken), ResourceExhausted, the store's.
    Result<Issued> create(const KeyRequest& request);
    // A new secret for the same key; the one before stays good for `overlap`, the one before that ends now.
    // Errors: NotFound; Conflict (of the configuration file, or revoked); the store's.
    Result<Issued> rotate(const std::string& id, Duration overlap);
    // Errors: as rotate(), and InvalidArgument (no such tenant).
    Result<ManagedKey> edit(const std::string& id, const KeyChanges& changes);
    // No request passes with it from now on, even if the disk refuses to keep that, which is an error then. Revoking
    // twice is none. Errors: NotFound; Conflict (of the configuration file); the store's.
    Result<ManagedKey> revoke(const std::string& id);
    // The same, and nothing is left of it. Errors: as revoke().
    Result<Unit> remove(const std::string& id);

    // The file's first, then the oldest first.
    std::vector<ManagedKey> list() const;
    Result<ManagedKey> find(const std::string& id) const;
    nlohmann::json json_of(const ManagedKey& key, Timestamp now) const;

    // Keeps when keys were used last. To be called every few seconds.
    Result<Unit> save_uses();

private:
    using Keys = std::map<std::string, ManagedKey, std::less<>>;

    KeyBook(state::StateStore& store, Gate gate) : store_(store), gate_(std::move(gate)) {}

    Result<Unit> put_in_force() REQUIRES_LOCK(mutex_);
    // The stored key, to be changed. Errors: NotFound, Conflict.
    Result<ManagedKey> changeable(const std::string& id) const REQUIRES_LOCK(mutex_);
    Result<Unit> check_tenant(const std::string& tenant) const REQUIRES_LOCK(mutex_);
    Result<Unit> check_free(const ManagedKey& key) const REQUIRES_LOCK(mutex_);
    // Stored first, then in force.
    Result<Unit> keep(const ManagedKey& key) REQUIRES_LOCK(mutex_);
    bool in_file(const std::string& id) const REQUIRES_LOCK(mutex_);
    std::map<std::string, Timestamp> uses() const;
    void show_use(ManagedKey& key, const std::map<std::string, Timestamp>& uses) const;

    state::StateStore& store_;
    const Gate gate_;
    mutable Mutex mutex_;
    gateway::AuthOptions from_file_ GUARDED_BY(mutex_);
    Keys stored_ GUARDED_BY(mutex_);
    Timestamp uses_saved_ GUARDED_BY(mutex_){};
};

}  // namespace stoker::app
