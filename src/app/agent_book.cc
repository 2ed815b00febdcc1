#include "app/agent_book.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace stoker::app {
namespace {

using nlohmann::json;

constexpr std::string_view kTokens = "agent_tokens";  // Collections of the state store.
constexpr std::string_view kAgents = "agents";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t kIdLength = 8;
constexpr std::size_t kSecretLength = 40;  // 36^40 is more than 2^206.
constexpr std::size_t kMostName = 128;

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= kMostName &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

json time_or_null(const std::optional<Timestamp>& time) {
    return time ? json(to_millis(*time)) : json(nullptr);
}
std::optional<Timestamp> read_time(const json& body, const char* key) {
    const auto found = body.find(key);
    if (found == body.end() || !found->is_number_integer()) return std::nullopt;
    return from_millis(found->get<std::int64_t>());
}

state::Document document_of(const AgentToken& token) {
    const json body = {{"name", token.name},
                       {"hash", token.hash},
                       {"expires_ms", time_or_null(token.expires)},
                       {"revoked_ms", time_or_null(token.revoked)},
                       {"last_used_ms", time_or_null(token.last_used)}};
    return {.id = token.id, .time = token.created, .status = token.revoked ? "revoked" : "", .body = body.dump()};
}

state::Document document_of(const KnownAgent& agent) {
    const json body = {
        {"token", agent.token}, {"version", agent.version}, {"last_seen_ms", to_millis(agent.last_seen)}};
    return {
        .id = agent.name, .time = agent.first_seen, .body = body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

AgentToken token_of(const state::Document& document) {
    const json body = json::parse(document.body);
    return {.id = document.id,
            .name = body.at("name").get<std::string>(),
            .hash = body.at("hash").get<std::string>(),
            .created = document.time,
            .expires = read_time(body, "expires_ms"),
            .revoked = read_time(body, "revoked_ms"),
            .last_used = read_time(body, "last_used_ms")};
}

KnownAgent agent_of(const state::Document& document) {
    const json body = json::parse(document.body);
    return {.name = document.id,
            .token = body.at("token").get<std::string>(),
            .version = body.at("version").get<std::string>(),
            .first_seen = document.time,
            .last_seen = from_millis(body.at("last_seen_ms").get<std::int64_t>())};
}

template <typename T>
std::optional<T> readable(const state::Document& document, T (*read)(const state::Document&)) {
    try {
        return read(document);
    } catch (const json::exception& wrong) {
        log::error("an agent's record can't be read", {{"id", document.id}, {"error", wrong.what()}});
        return std::nullopt;
    }
}

// "ID" of "sk-agent-ID-SECRET"; empty if it is nothing like that.
std::string_view id_of(std::string_view secret) {
    if (!secret.starts_with(AgentBook::kPrefix)) return {};
    secret.remove_prefix(AgentBook::kPrefix.size());
    const auto end = secret.find('-');
    return end == std::string_view::npos ? std::string_view() : secret.substr(0, end);
}

std::string_view bearer_of(std::string_view authorization) {
    constexpr std::string_view kBearer = "Bearer ";
    const bool is_bearer =
        authorization.size() > kBearer.size() && equals_ignore_case(authorization.substr(0, kBearer.size()), kBearer);
    return is_bearer ? trim(authorization.substr(kBearer.size())) : std::string_view();
}

Error refusal(std::string_view why) {
    return {Errc::PermissionDenied, "the agent's token " + std::string(why) +
                                        "; make one with `stoker agents token create` and put it into the "
                                        "agent's token_file"};
}

}  // namespace

std::string_view AgentToken::state(Timestamp now) const {
    if (revoked) return "revoked";
    return expires && *expires <= now ? "expired" : "active";
}

AgentBook::AgentBook(state::StateStore& store, metrics::Registry& registry)
    : store_(store),
      seen_(registry.gauge("stoker_agent_last_seen_timestamp_seconds",
                           "When an agent last sent something here, in seconds since 1970.", {"agent"})),
      refused_(registry.counter("stoker_agent_refused_requests_total",
                                "Requests with an agent's token that is not good, or without one that is needed.",
                                {"reason"})) {}

Result<std::unique_ptr<AgentBook>> AgentBook::open(state::StateStore& store, metrics::Registry& registry) {
    std::unique_ptr<AgentBook> book(new AgentBook(store, registry));
    TRY_UNIT(book->load());
    return book;
}

Result<Unit> AgentBook::load() {
    TRY(const auto tokens, store_.list(kTokens, {.limit = kMostTokens}));
    TRY(const auto agents, store_.list(kAgents, {.limit = kMostAgents}));
    MutexLock lock(mutex_);
    for (const auto& document : tokens) {
        if (auto token = readable(document, &token_of)) tokens_[document.id] = *std::move(token);
    }
    for (const auto& document : agents) {
        if (auto agent = readable(document, &agent_of)) agents_[document.id] = *std::move(agent);
    }
    for (const auto& [name, agent] : agents_) {
        show(agent);
        saved_ = std::max(saved_, agent.last_seen);
    }
    return Unit{};
}

Result<AgentBook::Issued> AgentBook::create(const std::string& name, std::optional<Timestamp> expires, Timestamp now) {
    if (!is_name(name)) {
        return Error{Errc::InvalidArgument, "a token's name has 1 to 128 letters, digits and signs, and no blanks"};
    }
    if (expires && *expires <= now) return Error{Errc::InvalidArgument, "a token can't expire in the past"};
    Issued made;
    made.token = {.id = crypto::random_text(kIdLength, kLetters), .name = name, .created = now, .expires = expires};
    made.secret = std::string(kPrefix) + made.token.id + "-" + crypto::random_text(kSecretLength, kLetters);
    made.token.hash = crypto::to_hex(crypto::sha256(made.secret));
    MutexLock lock(mutex_);
    if (tokens_.size() >= kMostTokens) return Error{Errc::ResourceExhausted, "there are too many tokens of agents"};
    TRY([[maybe_unused]] const auto kept, store_.put(kTokens, document_of(made.token), state::Durability::Power));
    tokens_[made.token.id] = made.token;
    return made;
}

Result<AgentToken> AgentBook::revoke(const std::string& id, Timestamp now) {
    MutexLock lock(mutex_);
    const auto found = tokens_.find(id);
    if (found == tokens_.end()) return Error{Errc::NotFound, "there is no token '" + id + "' of agents"};
    if (!found->second.revoked) found->second.revoked = now;  // In force even if the disk refuses.
    TRY([[maybe_unused]] const auto kept, store_.put(kTokens, document_of(found->second), state::Durability::Power));
    return found->second;
}

Result<Unit> AgentBook::forget(const std::string& agent) {
    MutexLock lock(mutex_);
    const auto found = agents_.find(agent);
    if (found == agents_.end()) return Error{Errc::NotFound, "there is no agent '" + agent + "'"};
    TRY_UNIT(store_.remove(kAgents, agent));
    agents_.erase(found);
    seen_.remove({agent});
    return Unit{};
}

std::vector<AgentToken> AgentBook::tokens() const {
    MutexLock lock(mutex_);
    std::vector<AgentToken> all;
    for (const auto& [id, token] : tokens_) all.push_back(token);
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.created < b.created; });
    return all;
}

std::vector<KnownAgent> AgentBook::agents() const {
    MutexLock lock(mutex_);
    std::vector<KnownAgent> all;
    for (const auto& [name, agent] : agents_) all.push_back(agent);
    return all;
}

Result<AgentToken*> AgentBook::holder(std::string_view secret, Timestamp now) {
    const auto refuse = [this](const char* reason, std::string_view why) -> Result<AgentToken*> {
        refused_.with({reason}).add();
        return refusal(why);
    };
    const auto found = tokens_.find(id_of(secret));
    const auto hash = crypto::sha256(secret);
    const auto kept = found == tokens_.end() ? std::nullopt : crypto::digest_from_hex(found->second.hash);
    if (!kept || !crypto::equal_in_constant_time(hash, *kept)) return refuse("unknown", "is not known");
    const std::string_view state = found->second.state(now);
    if (state == "revoked") return refuse("revoked", "was revoked");
    if (state == "expired") return refuse("expired", "has expired");
    return &found->second;
}

Result<Unit> AgentBook::admit(std::string_view authorization, std::string_view agent, std::string_view version,
                              std::size_t bytes, bool token_needed, Timestamp now) {
    const std::string_view secret = bearer_of(authorization);
    MutexLock lock(mutex_);
    AgentToken* token = nullptr;
    if (secret.starts_with(kPrefix)) {
        TRY(token, holder(secret, now));
        token->last_used = now;
    } else if (token_needed) {
        refused_.with({"missing"}).add();
        return refusal("is missing");
    }
    if (!is_name(agent)) return Unit{};
    auto found = agents_.find(agent);
    if (found == agents_.end()) {
        if (agents_.size() >= kMostAgents) return Unit{};  // It may send; it isn't listed.
        found = agents_.emplace(std::string(agent), KnownAgent{.name = std::string(agent), .first_seen = now}).first;
    }
    KnownAgent& known = found->second;
    known.token = token == nullptr ? "" : token->id;
    known.version = std::string(version.substr(0, kMostName));
    known.last_seen = now;
    ++known.requests;
    known.bytes += bytes;
    show(known);
    return Unit{};
}

void AgentBook::show(const KnownAgent& agent) {
    constexpr double kMillis = 1e-3;
    seen_.with({agent.name}).set(static_cast<double>(to_millis(agent.last_seen)) * kMillis);
}

Result<Unit> AgentBook::save() {
    std::vector<state::Document> agents;
    std::vector<state::Document> tokens;
    Timestamp newest{};
    {
        MutexLock lock(mutex_);
        newest = saved_;
        for (const auto& [name, agent] : agents_) {
            if (agent.last_seen > saved_) agents.push_back(document_of(agent));
            newest = std::max(newest, agent.last_seen);
        }
        for (const auto& [id, token] : tokens_) {
            const Timestamp used = token.last_used.value_or(Timestamp{});
            if (used > saved_) tokens.push_back(document_of(token));
            newest = std::max(newest, used);
        }
    }
    if (agents.empty() && tokens.empty()) return Unit{};
    TRY_UNIT(store_.transact(state::Durability::Process, [&](state::Operations& all) -> Result<Unit> {
        for (const auto& one : agents) TRY_UNIT(all.put(kAgents, one));
        for (const auto& one : tokens) TRY_UNIT(all.put(kTokens, one));
        return Unit{};
    }));
    MutexLock lock(mutex_);
    saved_ = newest;
    return Unit{};
}

}  // namespace stoker::app
