#include "app/key_services.h"

#include <nlohmann/json.hpp>

namespace stoker::app {
namespace {

using nlohmann::json;

std::string text_of(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Whether a key is what somebody has the beginning of: of its id, or of the key, up to the whole of it.
bool begins_with(const std::string& id, std::string_view prefix) {
    if (prefix.starts_with(gateway::kKeyPrefix)) prefix.remove_prefix(gateway::kKeyPrefix.size());
    return id.starts_with(prefix) || prefix.starts_with(id + "-");
}

bool is_wanted(const ManagedKey& key, const api::KeySelection& selection) {
    return (selection.tenant.empty() || key.options.tenant == selection.tenant) &&
           begins_with(key.options.id, selection.prefix);
}

std::string list(const KeyBook& book, const api::KeySelection& selection) {
    json keys = json::array();
    std::size_t total = 0;
    const Timestamp at = now();
    for (const ManagedKey& key : book.list()) {
        if (!is_wanted(key, selection)) continue;
        json shown = book.json_of(key, at);
        if (!selection.state.empty() && shown["state"] != selection.state) continue;
        if (total++ < selection.offset || keys.size() >= selection.limit) continue;
        keys.push_back(std::move(shown));
    }
    return text_of({{"keys", std::move(keys)}, {"total", total}});
}

Result<std::string> shown(const KeyBook& book, const Result<ManagedKey>& key) {
    if (!key) return Error(key.error());
    return text_of(book.json_of(*key, now()));
}

Result<std::string> issued(const KeyBook& book, const Result<KeyBook::Issued>& made) {
    if (!made) return Error(made.error());
    json answer = {{"key", book.json_of(made->key, now())}};
    answer["secret"] = made->secret.empty() ? json(nullptr) : json(made->secret);
    return text_of(answer);
}

Result<std::string> create(KeyBook& book, const std::string& body) {
    TRY(const auto request, parse_key_request(body, now()));
    return issued(book, book.create(request));
}

Result<std::string> edit(KeyBook& book, const std::string& id, const std::string& body) {
    TRY(const auto changes, parse_key_changes(body, now()));
    return shown(book, book.edit(id, changes));
}

Result<std::string> rotate(KeyBook& book, const std::string& id, const std::string& body) {
    TRY(const auto overlap, parse_key_rotation(body));
    return issued(book, book.rotate(id, overlap));
}

Result<std::string> remove(KeyBook& book, const std::string& id) {
    TRY_UNIT(book.remove(id));
    return text_of({{"status", "ok"}});
}

}  // namespace

api::KeyServices key_services(KeyBook& book) {
    return {.list = [&book](const api::KeySelection& selection) { return list(book, selection); },
            .find = [&book](const std::string& id) { return shown(book, book.find(id)); },
            .create = [&book](const std::string& body) { return create(book, body); },
            .edit = [&book](const std::string& id, const std::string& body) { return edit(book, id, body); },
            .rotate = [&book](const std::string& id, const std::string& body) { return rotate(book, id, body); },
            .revoke = [&book](const std::string& id) { return shown(book, book.revoke(id)); },
            .remove = [&book](const std::string& id) { return remove(book, id); }};
}

}  // namespace stoker::app
