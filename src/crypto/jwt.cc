#include "crypto/jwt.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/text.h"
#include "crypto/base64url.h"

namespace stoker::crypto {
namespace {

using Json = nlohmann::json;

Error no_token(std::string message) {
    return {Errc::InvalidArgument, std::move(message)};
}

// A part of a token: a JSON object in base64url.
Result<Json> object_of(std::string_view part, std::string_view name) {
    const auto text = base64url_decode(part);
    if (!text) return no_token(std::string(name) + " is not base64url");
    Json object = Json::parse(*text, nullptr, false);
    if (!object.is_object()) return no_token(std::string(name) + " is not a JSON object");
    return object;
}

}  // namespace

bool looks_like_jwt(std::string_view text) {
    return text.starts_with("eyJ") && std::count(text.begin(), text.end(), '.') == 2;
}

Result<Jwt> Jwt::parse(std::string token) {
    if (token.size() > kMostTokenBytes) return no_token("the token is too long");
    const auto parts = split(token, '.');
    if (parts.size() != 3) return no_token("a token has three parts");
    TRY(const Json header, object_of(parts[0], "its header"));
    const auto algorithm = header.find("alg");
    if (algorithm == header.end() || !algorithm->is_string()) return no_token("its header names no algorithm");
    const auto known = parse_signature_algorithm(algorithm->get_ref<const std::string&>());
    if (!known) return no_token("its algorithm is not one of RS256, ES256 and EdDSA");
    if (header.contains("crit")) return no_token("it asks for extensions that are not known here");
    Jwt jwt;
    jwt.algorithm_ = *known;
    if (const auto key_id = header.find("kid"); key_id != header.end() && key_id->is_string()) {
        jwt.key_id_ = key_id->get<std::string>();
    }
    TRY(jwt.claims_, object_of(parts[1], "its claims"));
    auto signature = base64url_decode(parts[2]);
    if (!signature || signature->empty()) return no_token("its signature is not base64url");
    jwt.signature_ = *std::move(signature);
    jwt.signed_bytes_ = parts[0].size() + 1 + parts[1].size();
    jwt.token_ = std::move(token);
    return jwt;
}

bool Jwt::is_signed_by(const KeySet& keys) const {
    return keys.verify(algorithm_, key_id_, std::string_view(token_).substr(0, signed_bytes_), signature_);
}

const Json* Jwt::find(std::string_view path) const {
    const Json* here = &claims_;
    for (;;) {
        if (!here->is_object()) return nullptr;
        if (const auto whole = here->find(std::string(path)); whole != here->end()) return &*whole;
        const std::size_t dot = path.find('.');
        if (dot == std::string_view::npos) return nullptr;
        const auto inner = here->find(std::string(path.substr(0, dot)));
        if (inner == here->end()) return nullptr;
        here = &*inner;
        path.remove_prefix(dot + 1);
    }
}

std::optional<std::string> Jwt::text(std::string_view path) const {
    const Json* found = find(path);
    if (found == nullptr || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
}

std::optional<std::vector<std::string>> Jwt::texts(std::string_view path, bool split_blanks) const {
    const Json* found = find(path);
    if (found == nullptr) return std::nullopt;
    std::vector<std::string> all;
    if (found->is_string()) {
        const auto& whole = found->get_ref<const std::string&>();
        if (!split_blanks) return std::vector<std::string>{whole};
        for (const std::string_view part : split(whole, ' ')) {
            if (!part.empty()) all.emplace_back(part);
        }
        return all;
    }
    if (!found->is_array()) return std::nullopt;
    for (const Json& item : *found) {
        if (!item.is_string()) return std::nullopt;
        all.push_back(item.get<std::string>());
    }
    return all;
}

std::optional<std::int64_t> Jwt::seconds(std::string_view path) const {
    constexpr double kEndOfTime = 9e15;
    const Json* found = find(path);
    if (found == nullptr || !found->is_number()) return std::nullopt;
    const double value = found->get<double>();
    if (std::isnan(value)) return std::nullopt;
    return static_cast<std::int64_t>(std::min(std::max(value, -kEndOfTime), kEndOfTime));
}

}  // namespace stoker::crypto
