// `stoker keys`.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"
#include "base/text.h"
#include "base/time.h"
#include "net/http.h"

namespace stoker::app {
namespace {

using nlohmann::json;

std::string path_of(const std::string& id, const char* action = "") {
    return "/api/v1/keys/" + net::url_encode(id) + action;
}

std::string time_of(const json& key, const char* member) {
    const auto found = key.find(member);
    if (found == key.end() || !found->is_number_integer()) return "-";
    return format_timestamp(from_millis(found->get<std::int64_t>()));
}

std::string models_of(const json& key) {
    const auto models = key.value("models", std::vector<std::string>{});
    return models.empty() ? "(all)" : join(models, ",");
}

Result<json> body_of(const KeySettings& settings) {
    json body = json::object();
    if (settings.tenant) body["tenant"] = *settings.tenant;
    if (settings.models) {
        body["models"] = json::array();
        for (const std::string& model : *settings.models) {
            if (model != "*") body["models"].push_back(model);
        }
    }
    if (settings.priority) body["priority"] = *settings.priority == "tenant" ? json(nullptr) : json(*settings.priority);
    if (settings.expires) body["expires"] = *settings.expires == "never" ? json(nullptr) : json(*settings.expires);
    for (const std::string& pair : settings.metadata) {
        const auto at = pair.find('=');
        if (at == std::string::npos || at == 0) {
            return Error{Errc::InvalidArgument, "expected NAME=VALUE, found '" + pair + "'"};
        }
        const std::string value = pair.substr(at + 1);
        body["metadata"][pair.substr(0, at)] = value.empty() ? json(nullptr) : json(value);
    }
    return body;
}

// The public part of what may be a whole key: secrets stay here.
std::string without_secret(const std::string& prefix) {
    constexpr std::size_t kSecret = 43;
    const auto hyphen = prefix.rfind('-');
    const bool whole = hyphen != std::string::npos && prefix.size() - hyphen - 1 == kSecret;
    return whole ? prefix.substr(0, hyphen + 1) : prefix;
}

void print_key(const json& key) {
    std::string metadata;
    const json texts = key.value("metadata", json::object());
    for (const auto& [name, value] : texts.items()) {
        metadata += (metadata.empty() ? "" : ", ") + name + "=" + value.get<std::string>();
    }
    const json& priority = key.at("priority");
    const std::pair<const char*, std::string> lines[] = {
        {"id", key.value("id", "")},
        {"tenant", key.value("tenant", "")},
        {"state", key.value("state", "")},
        {"kept in", key.value("source", "") == "config" ? "the configuration file" : "the state store"},
        {"models", models_of(key)},
        {"priority", priority.is_string() ? priority.get<std::string>() : "(the tenant's)"},
        {"metadata", metadata.empty() ? "-" : metadata},
        {"created", time_of(key, "created_ms")},
        {"expires", time_of(key, "expires_ms")},
        {"rotated", time_of(key, "rotated_ms")},
        {"old key until", time_of(key, "previous_until_ms")},
        {"revoked", time_of(key, "revoked_ms")},
        {"last used", time_of(key, "last_used_ms")}};
    for (const auto& [name, value] : lines) std::printf("%-14s %s\n", name, value.c_str());
}

int finish(const Result<json>& answer, Output output, void (*print)(const json&)) {
    if (!answer) return fail(answer.error());
    if (output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
    } else {
        print(*answer);
    }
    return 0;
}

// The key alone to standard output, where a script takes it from.
void print_secret(const json& answer) {
    const json& key = answer.at("key");
    const std::string id = key.value("id", "");
    if (answer.at("secret").is_string()) {
        std::printf("%s\n", answer.at("secret").get_ref<const std::string&>().c_str());
        std::fflush(stdout);
        std::fprintf(stderr, "key %s of tenant %s; it is shown this once\n", id.c_str(),
                     key.value("tenant", "").c_str());
    } else {
        std::printf("%s\n", id.c_str());
    }
    if (key.at("previous_until_ms").is_number()) {
        std::fprintf(stderr, "the key before stays good until %s\n", time_of(key, "previous_until_ms").c_str());
    }
}

void print_list(const json& answer) {
    Table table({"ID", "TENANT", "STATE", "MODELS", "KEPT IN", "EXPIRES", "LAST USED"});
    for (const json& key : answer.at("keys")) {
        table.add({key.value("id", ""), key.value("tenant", ""), key.value("state", ""), models_of(key),
                   key.value("source", ""), time_of(key, "expires_ms"), time_of(key, "last_used_ms")});
    }
    std::fputs(table.empty() ? "no such keys\n" : table.text().c_str(), stdout);
    const auto total = answer.value("total", std::size_t{0});
    const std::size_t shown = answer.at("keys").size();
    if (total > shown) std::printf("%zu of %zu; --limit shows more\n", shown, total);
}

}  // namespace

int keys_create(const KeysCreateOptions& options) {
    auto body = body_of(options.settings);
    if (!body) return fail(body.error());
    if (!options.id.empty()) (*body)["id"] = options.id;
    if (!options.sha256.empty()) (*body)["sha256"] = options.sha256;
    return finish(ask(options.client, "POST", "/api/v1/keys", {}, body->dump()), options.client.output, print_secret);
}

int keys_list(const KeysListOptions& options) {
    return finish(ask(options.client, "GET", "/api/v1/keys",
                      {{"tenant", options.tenant},
                       {"state", options.state},
                       {"prefix", without_secret(options.prefix)},
                       {"limit", std::to_string(options.limit)}}),
                  options.client.output, print_list);
}

int keys_show(const KeyOptions& options) {
    return finish(ask(options.client, "GET", path_of(options.id)), options.client.output, print_key);
}

int keys_revoke(const KeyOptions& options) {
    return finish(ask(options.client, "POST", path_of(options.id, "/revoke")), options.client.output, print_key);
}

int keys_delete(const KeyOptions& options) {
    const auto nothing = [](const json&) {};
    return finish(ask(options.client, "DELETE", path_of(options.id)), options.client.output, nothing);
}

int keys_rotate(const KeysRotateOptions& options) {
    const json body = {{"overlap", options.overlap}};
    return finish(ask(options.client, "POST", path_of(options.id, "/rotate"), {}, body.dump()), options.client.output,
                  print_secret);
}

int keys_edit(const KeysEditOptions& options) {
    const auto body = body_of(options.settings);
    if (!body) return fail(body.error());
    if (body->empty()) return fail({Errc::InvalidArgument, "say what to change; --help lists it"});
    return finish(ask(options.client, "PATCH", path_of(options.id), {}, body->dump()), options.client.output,
                  print_key);
}

}  // namespace stoker::app
