#include "gateway/cache/cache_key.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "wire/canonical_json.h"

namespace stoker::gateway {
namespace {

using wire::CanonicalObject;

constexpr std::array<std::string_view, 3> kSampled = {"/v1/chat/completions", "/v1/completions", "/v1/messages"};
constexpr std::array<std::string_view, 13> kComputed = {"/v1/embeddings", "/v1/messages/count_tokens",
                                                        "/v1/rerank",     "/v2/rerank",
                                                        "/rerank",        "/v1/score",
                                                        "/score",         "/pooling",
                                                        "/classify",      "/tokenize",
                                                        "/detokenize",    "/v1/moderations",
                                                        "/v1/tokenize"};

// Fields of the head that engines read.
constexpr std::array<std::string_view, 3> kMeaningful = {"anthropic-version", "anthropic-beta", "openai-beta"};
constexpr std::array<std::string_view, 3> kCredentials = {"authorization", "x-api-key", "api-key"};

// Members that no answer depends on. The model is in the key by the name that answers.
constexpr std::array<std::string_view, 5> kBesideThePoint = {"model", "user", "safety_identifier", "prompt_cache_key",
                                                             "request_id"};

bool is_any_of(std::string_view raw_key, const std::array<std::string_view, 5>& names) {
    return std::any_of(names.begin(), names.end(),
                       [raw_key](std::string_view name) { return wire::key_is(raw_key, name); });
}

// A number that is zero, however it is written.
bool is_zero(std::string_view number) {
    const std::string_view digits = number.substr(0, number.find_first_of("eE"));
    return !digits.empty() && digits.find('0') != std::string_view::npos &&
           digits.find_first_not_of("-0.") == std::string_view::npos;
}

bool is_integer(std::string_view text) {
    return parse_integer(text).has_value();
}

bool several(const CanonicalObject& body) {
    for (const std::string_view name : {"n", "best_of"}) {
        if (const auto value = body.find(name); value && *value != "1") return true;
    }
    return false;
}

// Length before each part, so that no two lists of parts make one text.
void add_part(std::string& text, std::string_view part) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
}

}  // namespace

AnswerKind answer_kind(std::string_view path) {
    if (std::find(kSampled.begin(), kSampled.end(), path) != kSampled.end()) return AnswerKind::Sampled;
    if (std::find(kComputed.begin(), kComputed.end(), path) != kComputed.end()) return AnswerKind::Computed;
    return AnswerKind::Other;
}

CacheIdentity identify(const CacheQuestion& question) {
    CacheIdentity identity;
    identity.kind = answer_kind(question.target.substr(0, question.target.find('?')));
    if (identity.kind == AnswerKind::Other) {
        identity.bar = CacheBar::Endpoint;
        return identity;
    }
    if (question.body.size() > kMostCacheBody) {
        identity.bar = CacheBar::TooLong;
        return identity;
    }
    const auto body = CanonicalObject::read(question.body);
    if (!body || body->find("store") == "true" || question.scan.usage == wire::UsageAsk::Unusable) {
        identity.bar = CacheBar::SideEffects;
        return identity;
    }
    if (identity.kind == AnswerKind::Sampled) {
        if (several(*body)) identity.bar = CacheBar::SeveralChoices;
        const auto temperature = body->find("temperature");
        identity.deterministic =
            (temperature && is_zero(*temperature)) || (body->find("seed") && is_integer(*body->find("seed")));
    } else {
        identity.deterministic = true;
    }
    identity.key = key_with(question, body->text([stream = question.scan.stream](std::string_view key) {
        return is_beside_the_point(key, stream);
    }));
    return identity;
}

CacheKey key_with(const CacheQuestion& question, std::string_view body) {
    std::string text;
    add_part(text, question.tenant);
    add_part(text, question.model);
    add_part(text, question.target);
    for (const std::string_view name : kMeaningful) add_part(text, question.headers.get(name).value_or(""));
    for (const std::string_view name : kCredentials) {
        add_part(text, question.credentials_go_up ? question.headers.get(name).value_or("") : "");
    }
    add_part(text, question.scan.stream ? "stream" : "");  // Said or not said, `false` is the same.
    text += body;
    return crypto::sha256(text);
}

bool is_beside_the_point(std::string_view raw_key, bool stream) {
    return is_any_of(raw_key, kBesideThePoint) || wire::key_is(raw_key, "stream") ||
           (!stream && wire::key_is(raw_key, "stream_options"));
}

CacheControlAsk parse_cache_control(std::string_view value) {
    constexpr std::string_view kMaxAge = "max-age=";
    CacheControlAsk ask;
    for (const std::string_view part : split(value, ',')) {
        const std::string directive = to_lower(trim(part));
        if (directive == "no-store") ask.no_store = true;
        if (directive == "no-cache") ask.no_cache = true;
        if (directive.starts_with(kMaxAge))
            ask.max_age_s = parse_integer(std::string_view(directive).substr(kMaxAge.size()));
    }
    return ask;
}

}  // namespace stoker::gateway
