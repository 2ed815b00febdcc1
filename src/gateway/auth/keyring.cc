#include "gateway/auth/keyring.h"

#include <utility>

#include "crypto/random.h"

namespace stoker::gateway {
namespace {

constexpr std::size_t kIdLetters = 12;      // 60 bits: no two of a million keys meet.
constexpr std::size_t kSecretLetters = 43;  // Of 62: 256 bits.
constexpr std::string_view kIdAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";
constexpr std::string_view kSecretAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kLongestKey = 512;

// The id in sk-stoker-ID-SECRET; empty if it is of another form. An id may have hyphens, a secret has none.
std::string_view id_of(std::string_view key) {
    if (!is_stoker_key(key)) return {};
    key.remove_prefix(kKeyPrefix.size());
    const std::size_t hyphen = key.rfind('-');
    return hyphen == std::string_view::npos ? std::string_view{} : key.substr(0, hyphen);
}

Identity identity_of(const TenantOptions& tenant, bool named) {
    Identity identity;
    identity.tenant = tenant.name;
    identity.priority = tenant.priority;
    if (!tenant.models.empty()) identity.models.restrict_to(tenant.models);
    identity.metadata = tenant.metadata;
    identity.tenant_is_label = named;
    return identity;
}

}  // namespace

bool is_stoker_key(std::string_view credential) {
    return credential.starts_with(kKeyPrefix);
}

NewKey make_key(std::string id) {
    if (id.empty()) id = crypto::random_text(kIdLetters, kIdAlphabet);
    std::string key = std::string(kKeyPrefix) + id + "-" + crypto::random_text(kSecretLetters, kSecretAlphabet);
    return {std::move(id), std::move(key)};
}

Result<std::shared_ptr<const Keyring>> Keyring::build(const AuthOptions& options, const Keyring& previous) {
    auto made = std::make_shared<Keyring>();
    made->required_ = options.required;
    for (const TenantOptions& tenant : options.tenants) made->tenants_.emplace(tenant.name, tenant);
    made->by_id_.reserve(options.keys.size());
    made->by_hash_.reserve(options.keys.size());
    for (const KeyOptions& key : options.keys) TRY_UNIT(made->add(key, previous));
    return std::shared_ptr<const Keyring>(std::move(made));
}

Result<Unit> Keyring::add(const KeyOptions& key, const Keyring& previous) {
    Entry entry;
    auto identity = std::make_shared<Identity>();
    if (const auto named = tenants_.find(key.tenant); named != tenants_.end()) {
        *identity = identity_of(named->second, true);
    } else {
        identity->tenant = key.tenant;
        entry.known_tenant = tenants_.empty();
    }
    identity->key_id = key.id;
    if (key.priority) identity->priority = *key.priority;
    if (!key.models.empty()) identity->models.restrict_to(key.models);
    for (const auto& [name, value] : key.metadata) identity->metadata[name] = value;

    entry.identity = std::move(identity);
    entry.hash = key.hash;
    entry.previous_hash = key.previous_hash;
    entry.previous_until = key.previous_until;
    entry.expires = key.expires;
    entry.revoked = key.revoked;
    const auto before = previous.by_id_.find(key.id);
    entry.last_used_ms =
        before != previous.by_id_.end() ? before->second.last_used_ms : std::make_shared<std::atomic<std::int64_t>>(0);
    const auto [at, fresh] = by_id_.emplace(key.id, std::move(entry));
    if (!fresh) return Error{Errc::Conflict, "two keys have the id " + key.id};
    if (!by_hash_.emplace(key.hash, &at->second).second) {
        return Error{Errc::Conflict, "the key " + key.id + " has the hash of another one"};
    }
    if (key.previous_hash) by_hash_.emplace(*key.previous_hash, &at->second);
    return Unit{};
}

std::shared_ptr<const Identity> Keyring::tenant(const std::string& name) const {
    const auto named = tenants_.find(name);
    if (named != tenants_.end()) return std::make_shared<const Identity>(identity_of(named->second, true));
    if (!tenants_.empty()) return nullptr;
    TenantOptions unnamed;
    unnamed.name = name;
    return std::make_shared<const Identity>(identity_of(unnamed, false));
}

KeyVerdict Keyring::check(std::string_view credential, Timestamp now) const {
    if (credential.empty() || credential.size() > kLongestKey) return {};
    const crypto::Digest hash = crypto::sha256(credential);
    const auto named = by_id_.find(id_of(credential));
    if (named != by_id_.end()) return judge(named->second, hash, now);
    const auto found = by_hash_.find(hash);
    return found == by_hash_.end() ? KeyVerdict{} : judge(*found->second, hash, now);
}

KeyVerdict Keyring::judge(const Entry& entry, const crypto::Digest& hash, Timestamp now) {
    const bool is_current = crypto::equal_in_constant_time(entry.hash, hash);
    const bool is_previous = entry.previous_hash && crypto::equal_in_constant_time(*entry.previous_hash, hash);
    if (!is_current && !is_previous) return {};
    KeyVerdict verdict{KeyFault::None, entry.identity};
    if (entry.revoked) {
        verdict.fault = KeyFault::Revoked;
    } else if (entry.expires && now >= *entry.expires) {
        verdict.fault = KeyFault::Expired;
    } else if (!is_current && now >= entry.previous_until) {
        verdict.fault = KeyFault::Rotated;
    } else if (!entry.known_tenant) {
        verdict.fault = KeyFault::UnknownTenant;
    } else {
        // Once a second is enough for people, and keeps loops from fighting for the line in their caches.
        constexpr std::int64_t kSecond = 1'000;
        const std::int64_t second = to_millis(now) / kSecond * kSecond;
        if (entry.last_used_ms->load(std::memory_order_relaxed) < second) {
            entry.last_used_ms->store(second, std::memory_order_relaxed);
        }
    }
    return verdict;
}

std::vector<Keyring::Use> Keyring::used_since(Timestamp since) const {
    std::vector<Use> uses;
    for (const auto& [id, entry] : by_id_) {
        const Timestamp at = from_millis(entry.last_used_ms->load(std::memory_order_relaxed));
        if (at > since) uses.push_back({id, at});
    }
    return uses;
}

}  // namespace stoker::gateway
