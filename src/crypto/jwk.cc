#include "crypto/jwk.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/base64url.h"

namespace stoker::crypto {
namespace {

using Json = nlohmann::json;

// The text of a member; empty if it is not there or no text.
std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The bytes of a member in base64url; empty if there are none.
std::string bytes_of(const Json& object, const char* name) {
    return base64url_decode(text_of(object, name)).value_or(std::string());
}

Result<PublicKey> key_of(const Json& jwk) {
    const std::string type = text_of(jwk, "kty");
    const std::string curve = text_of(jwk, "crv");
    if (type == "RSA") return PublicKey::rsa(bytes_of(jwk, "n"), bytes_of(jwk, "e"));
    if (type == "EC" && curve == "P-256") return PublicKey::p256(bytes_of(jwk, "x"), bytes_of(jwk, "y"));
    if (type == "OKP" && curve == "Ed25519") return PublicKey::ed25519(bytes_of(jwk, "x"));
    return Error{Errc::InvalidArgument, "a key of another kind"};
}

bool is_for_signatures(const Json& jwk) {
    const auto use = jwk.find("use");
    if (use != jwk.end() && *use != "sig") return false;
    const auto operations = jwk.find("key_ops");
    if (operations == jwk.end() || !operations->is_array()) return true;
    return std::find(operations->begin(), operations->end(), "verify") != operations->end();
}

}  // namespace

Result<KeySet> KeySet::parse(std::string_view json) {
    if (json.size() > kMostBytes) return Error{Errc::InvalidArgument, "the set of keys is too long"};
    const Json document = Json::parse(json, nullptr, false);
    if (!document.is_object() || !document.contains("keys") || !document["keys"].is_array()) {
        return Error{Errc::InvalidArgument, R"(not a set of keys: {"keys":[...]} was expected)"};
    }
    KeySet set;
    for (const Json& jwk : document["keys"]) {
        if (set.keys_.size() == kMostKeys) break;
        if (!jwk.is_object() || !is_for_signatures(jwk)) continue;
        auto key = key_of(jwk);
        if (!key) continue;
        const std::string algorithm = text_of(jwk, "alg");
        if (!algorithm.empty() && algorithm != to_string(key->algorithm())) continue;
        set.keys_.push_back({text_of(jwk, "kid"), *std::move(key)});
    }
    if (set.keys_.empty()) return Error{Errc::InvalidArgument, "no key in the set is one for RS256, ES256 or EdDSA"};
    return set;
}

bool KeySet::verify(SignatureAlgorithm algorithm, std::string_view key_id, std::string_view data,
                    std::string_view signature) const {
    constexpr int kMostTried = 4;  // Without a name: a check costs up to 100 µs.
    int tried = 0;
    for (const Entry& entry : keys_) {
        if (!entry.fits(algorithm, key_id)) continue;
        if (entry.key.verify(data, signature)) return true;
        if (++tried == kMostTried) return false;
    }
    return false;
}

bool KeySet::knows(SignatureAlgorithm algorithm, std::string_view key_id) const {
    return std::any_of(keys_.begin(), keys_.end(), [&](const Entry& entry) { return entry.fits(algorithm, key_id); });
}

}  // namespace stoker::crypto
