// The keys that are good here: an immutable table that requests read and a change of keys replaces whole.
//
// A key reads sk-stoker-ID-SECRET: the id is public and tells keys apart in lists, logs and records; the secret is 43
// random letters and digits (256 bits), so that its plain SHA-256 is as good as a slow hash would be for a password.
// Keys of other forms, such as were used before Stoker came, are found by their hash.
//
// A change of one key makes the whole table anew, aside: 10,000 keys with models and metadata cost about 9 ms of
// processor time on a core of an AMD EPYC, 100,000 about 0.2 s. No request waits for it.
//
// Thread-safe: constant after construction, but for when each key was last used.
#pragma once

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "gateway/auth/auth_options.h"

namespace stoker::gateway {

inline constexpr std::string_view kKeyPrefix = "sk-stoker-";
bool is_stoker_key(std::string_view credential);

struct NewKey {
    std::string id;
    std::string key;  // The one place where it stands in clear.
};
// A key with this id; empty: with a random one.
NewKey make_key(std::string id = {});

enum class KeyFault : std::uint8_t {
    None,
    Unknown,  // No such id, or not its secret.
    Expired,  // The others are told only to one who has the secret.
    Rotated,  // The key before the last rotation, and its time is over.
    Revoked,
    UnknownTenant,  // The configuration names tenants, and not this one.
};

struct KeyVerdict {
    KeyFault fault = KeyFault::Unknown;
    std::shared_ptr<const Identity> identity{};  // Of a key whose secret is right; also if it is refused.
};

class Keyring {
public:
    Keyring() = default;

    // Keys that are in `previous` too keep when they were last used. Errors: Conflict (an id or a hash twice).
    static Result<std::shared_ptr<const Keyring>> build(const AuthOptions& options, const Keyring& previous);

    // Notes the use of a good key.
    KeyVerdict check(std::string_view credential, Timestamp now) const;

    // What a tenant's requests are without a key of their own; null if the configuration names tenants but not this.
    std::shared_ptr<const Identity> tenant(const std::string& name) const;

    bool required() const { return required_; }
    std::size_t size() const { return by_id_.size(); }

    struct Use {
        std::string id;
        Timestamp at;
    };
    // The keys used after `since`, to the second.
    std::vector<Use> used_since(Timestamp since) const;

private:
    struct Entry {
        std::shared_ptr<const Identity> identity;
        crypto::Digest hash{};
        std::optional<crypto::Digest> previous_hash{};
        Timestamp previous_until{};
        std::optional<Timestamp> expires{};
        bool revoked = false;
        bool known_tenant = true;
        std::shared_ptr<std::atomic<std::int64_t>> last_used_ms;  // Shared with the tables before and after.
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };

    Result<Unit> add(const KeyOptions& key, const Keyring& previous);
    static KeyVerdict judge(const Entry& entry, const crypto::Digest& hash, Timestamp now);

    bool required_ = false;
    std::unordered_map<std::string, TenantOptions, Hash, std::equal_to<>> tenants_;
    std::unordered_map<std::string, Entry, Hash, std::equal_to<>> by_id_;
    struct DigestHash {  // Its first bytes are as good as any.
        std::size_t operator()(const crypto::Digest& digest) const {
            std::size_t first = 0;
            std::memcpy(&first, digest.data(), sizeof first);
            return first;
        }
    };
    std::unordered_map<crypto::Digest, const Entry*, DigestHash> by_hash_;  // Also of the keys rotated out.
};

}  // namespace stoker::gateway
