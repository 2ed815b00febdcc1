#include "app/agent_services.h"

#include <nlohmann/json.hpp>

namespace stoker::app {
namespace {

using nlohmann::json;

// Twelve requests of an agent that sends every five seconds, and the bound of StokerAgentSilent.
constexpr Duration kSilentAfter{60'000};

std::string text_of(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json time_or_null(const std::optional<Timestamp>& time) {
    return time ? json(to_millis(*time)) : json(nullptr);
}

json json_of(const AgentToken& token, Timestamp at) {
    return {{"id", token.id},
            {"name", token.name},
            {"state", token.state(at)},
            {"created_ms", to_millis(token.created)},
            {"expires_ms", time_or_null(token.expires)},
            {"revoked_ms", time_or_null(token.revoked)},
            {"last_used_ms", time_or_null(token.last_used)}};
}

std::string agents(const AgentBook& book) {
    const Timestamp at = now();
    json list = json::array();
    for (const KnownAgent& one : book.agents()) {
        list.push_back({{"name", one.name},
                        {"state", at - one.last_seen > kSilentAfter ? "silent" : "sending"},
                        {"token", one.token.empty() ? json(nullptr) : json(one.token)},
                        {"version", one.version},
                        {"first_seen_ms", to_millis(one.first_seen)},
                        {"last_seen_ms", to_millis(one.last_seen)},
                        {"requests", one.requests},
                        {"bytes", one.bytes}});
    }
    return text_of({{"agents", std::move(list)}});
}

std::string tokens(const AgentBook& book) {
    json list = json::array();
    for (const AgentToken& one : book.tokens()) list.push_back(json_of(one, now()));
    return text_of({{"tokens", std::move(list)}});
}

Result<std::string> create(AgentBook& book, const std::string& body) {
    const json wanted = json::parse(body, nullptr, false);
    if (!wanted.is_object() || !wanted.contains("name") || !wanted["name"].is_string()) {
        return Error{Errc::InvalidArgument, "expected {\"name\": \"...\", \"expires_ms\": number or null}"};
    }
    std::optional<Timestamp> expires;
    if (const auto found = wanted.find("expires_ms"); found != wanted.end() && !found->is_null()) {
        if (!found->is_number_integer()) return Error{Errc::InvalidArgument, "expires_ms: expected a whole number"};
        expires = from_millis(found->get<std::int64_t>());
    }
    TRY(const auto made, book.create(wanted["name"].get<std::string>(), expires, now()));
    return text_of({{"token", json_of(made.token, now())}, {"secret", made.secret}});
}

Result<std::string> revoke(AgentBook& book, const std::string& id) {
    TRY(const auto token, book.revoke(id, now()));
    return text_of(json_of(token, now()));
}

Result<std::string> forget(AgentBook& book, const std::string& name) {
    TRY_UNIT(book.forget(name));
    return text_of({{"status", "ok"}});
}

}  // namespace

api::AgentServices agent_services(AgentBook& book) {
    return {.list = [&book] { return agents(book); },
            .forget = [&book](const std::string& name) { return forget(book, name); },
            .tokens = [&book] { return tokens(book); },
            .create_token = [&book](const std::string& body) { return create(book, body); },
            .revoke_token = [&book](const std::string& id) { return revoke(book, id); }};
}

std::vector<api::PushEndpoint> behind_tokens(std::vector<api::PushEndpoint> endpoints, AgentBook& book,
                                             bool token_needed) {
    for (api::PushEndpoint& endpoint : endpoints) {
        const bool needed = token_needed && !endpoint.query;
        endpoint.receive = [&book, needed, receive = std::move(endpoint.receive)](const collect::PushRequest& request) {
            const auto header = [&request](std::string_view name) { return request.headers.get(name).value_or(""); };
            const auto admitted = book.admit(header("Authorization"), header("X-Stoker-Agent"), header("User-Agent"),
                                             request.body.size(), needed, request.now);
            if (admitted) return receive(request);
            constexpr int kUnauthorized = 401;
            net::Response refused{kUnauthorized, {}, admitted.error().message + "\n"};
            refused.headers.add("Content-Type", "text/plain; charset=utf-8");
            refused.headers.add("WWW-Authenticate", "Bearer");
            return refused;
        };
    }
    return endpoints;
}

}  // namespace stoker::app
