#include "app/key_book.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/log.h"
#include "base/text.h"

namespace stoker::app {
namespace {

Error of_the_file(const std::string& id) {
    return {Errc::Conflict, "the key " + id + " is kept in the configuration file; change it there and reload"};
}

}  // namespace

Result<std::unique_ptr<KeyBook>> KeyBook::open(state::StateStore& store, Gate gate) {
    std::unique_ptr<KeyBook> book(new KeyBook(store, std::move(gate)));
    TRY(const auto rows, store.api_keys());
    MutexLock lock(book->mutex_);
    for (const state::ApiKey& row : rows) {
        auto key = key_of(row);
        if (key) {
            book->stored_.emplace(row.id, *std::move(key));
        } else {
            log::error("key left out", {{"error", key.error().message}});
        }
    }
    return book;
}

Result<Unit> KeyBook::configure(gateway::AuthOptions from_file) {
    MutexLock lock(mutex_);
    std::swap(from_file_, from_file);
    auto applied = put_in_force();
    if (!applied) std::swap(from_file_, from_file);
    return applied;
}

Result<Unit> KeyBook::put_in_force() {
    gateway::AuthOptions all = from_file_;
    std::set<crypto::Digest> hashes;
    std::set<std::string_view> ids;
    for (const auto& key : from_file_.keys) {
        hashes.insert(key.hash);
        ids.insert(key.id);
    }
    all.keys.reserve(all.keys.size() + stored_.size());
    for (const auto& [id, key] : stored_) {
        if (ids.contains(id) || hashes.contains(key.options.hash)) {
            log::warn("the configuration file has a key of this id or hash, which goes before it", {{"key_id", id}});
            continue;
        }
        all.keys.push_back(key.options);
    }
    return gate_.apply(all);
}

bool KeyBook::in_file(const std::string& id) const {
    return std::any_of(from_file_.keys.begin(), from_file_.keys.end(), [&](const auto& key) { return key.id == id; });
}

Result<ManagedKey> KeyBook::changeable(const std::string& id) const {
    if (in_file(id)) return of_the_file(id);
    const auto found = stored_.find(id);
    if (found == stored_.end()) return Error{Errc::NotFound, "there is no key " + id};
    return found->second;
}

Result<Unit> KeyBook::check_tenant(const std::string& tenant) const {
    if (from_file_.tenants.empty()) return Unit{};
    std::vector<std::string> names;
    for (const auto& known : from_file_.tenants) {
        if (known.name == tenant) return Unit{};
        names.push_back(known.name);
    }
    return Error{Errc::InvalidArgument,
                 "there is no tenant '" + tenant + "'; the configuration names " + join(names, ", ")};
}

Result<Unit> KeyBook::check_free(const ManagedKey& key) const {
    const crypto::Digest& hash = key.options.hash;
    if (in_file(key.options.id) || stored_.contains(key.options.id)) {
        return Error{Errc::Conflict, "another key has the id " + key.options.id + " already"};
    }
    const auto is_of = [&](const gateway::KeyOptions& other) {
        return other.hash == hash || other.previous_hash == hash;
    };
    const bool taken =
        std::any_of(from_file_.keys.begin(), from_file_.keys.end(), is_of) ||
        std::any_of(stored_.begin(), stored_.end(), [&](const auto& entry) { return is_of(entry.second.options); });
    if (taken) return Error{Errc::Conflict, "another key has this hash already"};
    return Unit{};
}

Result<Unit> KeyBook::keep(const ManagedKey& key) {
    TRY_UNIT(store_.put_api_key(row_of(key)));
    stored_[key.options.id] = key;
    return put_in_force();
}

Result<KeyBook::Issued> KeyBook::create(const KeyRequest& request) {
    MutexLock lock(mutex_);
    if (stored_.size() >= kMostKeys) {
        return Error{Errc::ResourceExhausted, "there are as many keys as can be; remove some that are over"};
    }
    Issued issued;
    gateway::NewKey made = gateway::make_key(request.id);
    issued.key.options.id = made.id;
    issued.key.options.hash = request.sha256.value_or(crypto::sha256(made.key));
    if (!request.sha256) issued.secret = std::move(made.key);
    issued.key.created = now();
    request.settings.apply_to(issued.key.options);
    TRY_UNIT(check_tenant(issued.key.options.tenant));
    TRY_UNIT(check_free(issued.key));
    TRY_UNIT(keep(issued.key));
    log::info("key created", {{"key_id", made.id}, {"tenant", issued.key.options.tenant}});
    return issued;
}

Result<KeyBook::Issued> KeyBook::rotate(const std::string& id, Duration overlap) {
    MutexLock lock(mutex_);
    TRY(ManagedKey key, changeable(id));
    if (key.revoked) return Error{Errc::Conflict, "the key " + id + " was revoked; make a new one"};
    gateway::NewKey made = gateway::make_key(id);
    key.rotated = now();
    key.options.previous_hash.reset();
    if (overlap > Duration{0}) {
        key.options.previous_hash = key.options.hash;
        key.options.previous_until = *key.rotated + overlap;
    }
    key.options.hash = crypto::sha256(made.key);
    TRY_UNIT(keep(key));
    log::info("key rotated", {{"key_id", id}, {"overlap_ms", overlap.count()}});
    return Issued{std::move(key), std::move(made.key)};
}

Result<ManagedKey> KeyBook::edit(const std::string& id, const KeyChanges& changes) {
    MutexLock lock(mutex_);
    TRY(ManagedKey key, changeable(id));
    if (key.revoked) return Error{Errc::Conflict, "the key " + id + " was revoked; make a new one"};
    if (changes.tenant) TRY_UNIT(check_tenant(*changes.tenant));
    changes.apply_to(key.options);
    TRY_UNIT(keep(key));
    log::info("key changed", {{"key_id", id}});
    return key;
}

Result<ManagedKey> KeyBook::revoke(const std::string& id) {
    MutexLock lock(mutex_);
    TRY(ManagedKey key, changeable(id));
    if (key.revoked) return key;
    key.revoked = now();
    key.options.revoked = true;
    stored_[id] = key;
    TRY_UNIT(put_in_force());
    log::info("key revoked", {{"key_id", id}});
    auto kept = store_.put_api_key(row_of(key));
    if (!kept) return std::move(kept).error().context("revoked, but only until Stoker restarts");
    return key;
}

Result<Unit> KeyBook::remove(const std::string& id) {
    MutexLock lock(mutex_);
    TRY([[maybe_unused]] const ManagedKey key, changeable(id));
    stored_.erase(id);
    TRY_UNIT(put_in_force());
    log::info("key removed", {{"key_id", id}});
    auto kept = store_.remove_api_key(id);
    if (!kept) return std::move(kept).error().context("removed, but only until Stoker restarts");
    return Unit{};
}

std::map<std::string, Timestamp> KeyBook::uses() const {
    std::map<std::string, Timestamp> last;
    for (const auto& use : gate_.uses(Timestamp{})) last[use.id] = use.at;
    return last;
}

void KeyBook::show_use(ManagedKey& key, const std::map<std::string, Timestamp>& uses) const {
    const auto used = uses.find(key.options.id);
    if (used != uses.end()) key.last_used = std::max(used->second, key.last_used.value_or(Timestamp{}));
}

std::vector<ManagedKey> KeyBook::list() const {
    std::vector<ManagedKey> all;
    const auto used = uses();
    MutexLock lock(mutex_);
    for (const auto& options : from_file_.keys) {
        ManagedKey& key = all.emplace_back();
        key.options = options;
        key.source = KeySource::Config;
        show_use(key, used);
    }
    const auto of_file = static_cast<std::ptrdiff_t>(all.size());
    for (const auto& [id, key] : stored_) {
        if (!in_file(id)) show_use(all.emplace_back(key), used);
    }
    std::stable_sort(all.begin() + of_file, all.end(),
                     [](const ManagedKey& a, const ManagedKey& b) { return a.created < b.created; });
    return all;
}

Result<ManagedKey> KeyBook::find(const std::string& id) const {
    const auto used = uses();
    MutexLock lock(mutex_);
    ManagedKey key;
    const auto of_file = std::find_if(from_file_.keys.begin(), from_file_.keys.end(),
                                      [&](const gateway::KeyOptions& options) { return options.id == id; });
    if (of_file != from_file_.keys.end()) {
        key.options = *of_file;
        key.source = KeySource::Config;
    } else if (const auto found = stored_.find(id); found != stored_.end()) {
        key = found->second;
    } else {
        return Error{Errc::NotFound, "there is no key " + id};
    }
    show_use(key, used);
    return key;
}

nlohmann::json KeyBook::json_of(const ManagedKey& key, Timestamp now) const {
    MutexLock lock(mutex_);
    return to_json(key, from_file_, now);
}

Result<Unit> KeyBook::save_uses() {
    MutexLock lock(mutex_);
    std::vector<std::pair<std::string, Timestamp>> uses;
    Timestamp newest = uses_saved_;
    for (const auto& use : gate_.uses(uses_saved_)) {
        newest = std::max(newest, use.at);
        const auto found = stored_.find(use.id);
        if (found == stored_.end()) continue;
        found->second.last_used = use.at;
        uses.emplace_back(use.id, use.at);
    }
    if (!uses.empty()) TRY_UNIT(store_.note_api_key_uses(uses));
    uses_saved_ = newest;
    return Unit{};
}

}  // namespace stoker::app
