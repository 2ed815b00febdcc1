// Whether a request's answer may be used again, and the key that says for which requests.
//
// Two requests are identical if they are of one tenant, would be answered by the same model, go to the same path with
// the same query, and have the same body but for what no answer depends on: the order of the outermost members, white
// space, who the end user is. SHA-256, so nobody can make two different ones meet. Pure, thread-safe.
#pragma once

#include <cstring>
#include <optional>
#include <string_view>

#include "crypto/hash.h"
#include "net/http.h"
#include "wire/openai.h"

namespace stoker::gateway {

using CacheKey = crypto::Digest;

struct CacheKeyHash {
    std::size_t operator()(const CacheKey& key) const {
        std::size_t hash = 0;
        std::memcpy(&hash, key.data(), sizeof hash);
        return hash;
    }
};

// What kind of answers a path has.
enum class AnswerKind : unsigned char {
    Other,     // Has effects beside its answer, or nothing is known of it.
    Sampled,   // Text of a model.
    Computed,  // The same for the same input: embeddings, scores, tokens.
};
AnswerKind answer_kind(std::string_view path);

struct CacheQuestion {
    std::string_view target;  // Path and query.
    std::string_view body;
    const wire::RequestScan& scan;  // Of it.
    std::string_view model;         // That would answer.
    std::string_view tenant;
    const net::Headers& headers;
    bool credentials_go_up = false;  // The client's own reach the engine, so the answer may be for them alone.
};

// Why an answer can't be used again; None: it can.
enum class CacheBar : unsigned char {
    None,
    Endpoint,       // Of a kind that is not kept.
    TooLong,        // The request.
    SideEffects,    // The request asks for more than an answer.
    SeveralChoices  // n, best_of.
};

struct CacheIdentity {
    CacheKey key{};
    CacheBar bar = CacheBar::None;
    bool deterministic = false;  // Temperature 0, a seed, or nothing to sample.
    AnswerKind kind = AnswerKind::Other;
};

// Requests longer than this are neither kept nor compared.
inline constexpr std::size_t kMostCacheBody = 4 * 1024 * 1024;

CacheIdentity identify(const CacheQuestion& question);

// The key of such requests whose body, or the part of it that matters, is `body`.
CacheKey key_with(const CacheQuestion& question, std::string_view body);
// Whether no answer depends on this member of the body.
bool is_beside_the_point(std::string_view raw_key, bool stream);

// What a client's Cache-Control asks for.
struct CacheControlAsk {
    bool no_store = false;
    bool no_cache = false;
    std::optional<std::int64_t> max_age_s{};
};
CacheControlAsk parse_cache_control(std::string_view value);

}  // namespace stoker::gateway
