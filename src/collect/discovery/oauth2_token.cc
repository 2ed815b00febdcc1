#include "collect/discovery/oauth2_token.h"

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "crypto/hmac.h"

namespace stoker::collect {
namespace {

using nlohmann::json;

constexpr std::size_t kMostSaid = 200;
constexpr std::int64_t kLongest = 10LL * 365 * 24 * 3600;  // Seconds; longer than any of this process.

std::string text_of(const json& answer, const char* name) {
    const auto member = answer.find(name);
    return member != answer.end() && member->is_string() ? member->get<std::string>() : std::string{};
}

// Some write the number as a text.
Duration lifetime(const json& answer) {
    const auto member = answer.find("expires_in");
    if (member == answer.end()) return Duration{0};
    std::int64_t seconds = 0;
    if (member->is_string()) {
        seconds = parse_integer(member->get<std::string>()).value_or(0);
    } else if (member->is_number()) {
        const double value = member->get<double>();
        seconds = value > 0 ? static_cast<std::int64_t>(std::min(value, static_cast<double>(kLongest))) : 0;
    }
    return Duration{std::clamp<std::int64_t>(seconds, 0, kLongest) * 1000};
}

// As RFC 7235 spells the common ones.
std::string scheme(const std::string& type) {
    const std::string lower = to_lower(type);
    if (lower.empty() || lower == "bearer") return "Bearer";
    return type;
}

std::string said(const json& answer, std::string_view body) {
    if (!answer.is_object()) return std::string(body.substr(0, kMostSaid));
    std::string why = text_of(answer, "error");
    const std::string more = text_of(answer, "error_description");
    if (!more.empty()) why += (why.empty() ? "" : ": ") + more;
    return why.substr(0, kMostSaid);
}

}  // namespace

OAuth2Request oauth2_request(const OAuth2Config& config, const std::string& secret, OAuth2Style style) {
    std::map<std::string, std::string> form = {{"grant_type", "client_credentials"}};
    if (!config.scopes.empty()) form["scope"] = join(config.scopes, " ");
    for (const auto& [name, value] : config.endpoint_params) form.insert_or_assign(name, value);
    OAuth2Request request;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    if (style == OAuth2Style::Header) {
        request.headers.add("Authorization", "Basic " + crypto::base64_encode(net::url_encode(config.client_id) + ":" +
                                                                              net::url_encode(secret)));
    } else {
        form["client_id"] = config.client_id;
        if (!secret.empty()) form["client_secret"] = secret;
    }
    for (const auto& [name, value] : form) {
        if (!request.body.empty()) request.body += '&';
        request.body += net::url_encode(name) + "=" + net::url_encode(value);
    }
    return request;
}

Result<OAuth2Token> oauth2_token(int status, std::string_view body) {
    const json answer = json::parse(body, nullptr, false);
    if (status / 100 != 2) {
        const std::string why = said(answer, body);
        const Errc code = status == 400 || status == 401 ? Errc::PermissionDenied : Errc::Unavailable;
        return Error{code, "HTTP status " + std::to_string(status) + (why.empty() ? "" : ": " + why)};
    }
    if (!answer.is_object()) return Error{Errc::InvalidArgument, "the answer is not JSON with a token"};
    const std::string token = text_of(answer, "access_token");
    if (token.empty()) {
        const std::string why = said(answer, body);
        return Error{Errc::InvalidArgument, "the answer has no access_token" + (why.empty() ? "" : ": " + why)};
    }
    return OAuth2Token{scheme(text_of(answer, "token_type")) + " " + token, lifetime(answer)};
}

}  // namespace stoker::collect
