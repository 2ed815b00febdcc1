// The state store: small records that change and must not be lost (incidents, actions, alert states, keys, settings),
// in SQLite.
//
// Documents are JSON bodies by (collection, id) with two indexed columns, time and status. Actions are special: the
// intent is on the disk before anything is done and the result after, so that a restart knows what was under way and
// nothing is done twice. Keys have a table of their own, which keeps their hashes apart. Tables and versions:
// docs/format/state.md.
//
// Thread-safe: one connection behind one mutex; calls block for the time of a disk write, so keep them off event loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stoker::state {

// What a change that returned survives. Process: the end of this process. Power: the loss of power as well (one disk
// sync, which also makes every earlier change durable).
enum class Durability : std::uint8_t { Process, Power };

inline constexpr std::string_view kIncidents = "incidents";
inline constexpr std::string_view kAlertStates = "alert_states";

struct Document {
    std::string id{};
    Timestamp time{};           // What list() orders by; the incident's opening, for one.
    std::string status{};       // What list() selects by; may be empty.
    std::string body{};         // JSON.
    std::int64_t revision = 0;  // 1 after the first put, one more with each; put() ignores it.
};

struct Selection {
    std::vector<std::string> status{};  // Any of these; empty means all.
    std::optional<Timestamp> from{};    // Inclusive.
    std::optional<Timestamp> to{};      // Exclusive.
    bool oldest_first = false;
    std::size_t limit = 100;
    std::size_t offset = 0;
};

enum class ActionStatus : std::uint8_t { Intended, Succeeded, Failed, Abandoned };
std::string_view to_string(ActionStatus status);  // intended, succeeded, failed, abandoned

// Something done to the world. `id` names the one execution: made up before the intent is written, it is the key that
// keeps the action from running twice.
struct Action {
    std::string id{};
    std::string incident_id{};
    std::string policy{};
    std::string kind{};    // "restart"
    std::string target{};  // Replica id.
    std::string detail{};  // JSON: what exactly will be done.
    Timestamp intended_at{};
    ActionStatus status = ActionStatus::Intended;
    Timestamp finished_at{};  // Epoch while it is not finished.
    std::string result{};     // One sentence.
};

struct ActionSelection {
    std::string incident_id{};  // Empty: any.
    std::string target{};       // Empty: any.
    std::string policy{};       // Empty: any.
    std::optional<ActionStatus> status{};
    std::optional<Timestamp> intended_since{};  // Inclusive.
    std::size_t limit = 1000;
};

// A key of the gateway's clients, as it is kept. Times that are missing: never, or for ever.
struct ApiKey {
    std::string id{};
    std::string tenant{};
    std::string hash{};           // SHA-256 of the key, 64 lower-case hex digits; no two keys have the same.
    std::string previous_hash{};  // Of the key before the last rotation; empty: none.
    std::string priority{};       // Empty: the tenant's.
    std::string models{};         // JSON: a list of texts.
    std::string metadata{};       // JSON: an object of texts.
    Timestamp created{};
    std::optional<Timestamp> previous_until{};
    std::optional<Timestamp> expires{};
    std::optional<Timestamp> rotated{};
    std::optional<Timestamp> revoked{};
    std::optional<Timestamp> last_used{};
};

// The operations, inside a transaction or each as its own.
class Operations {
public:
    virtual ~Operations() = default;

    // Inserts or replaces. Returns the new revision.
    virtual Result<std::int64_t> put(std::string_view collection, const Document& document) = 0;
    // Errors: NotFound.
    virtual Result<Document> get(std::string_view collection, std::string_view id) = 0;
    virtual Result<std::vector<Document>> list(std::string_view collection, const Selection& selection) = 0;
    virtual Result<std::uint64_t> count(std::string_view collection, const Selection& selection) = 0;
    // Removing what is not there is no error.
    virtual Result<Unit> remove(std::string_view collection, std::string_view id) = 0;
    // Removes documents of any of `status` (empty: all) with a time before `before`; returns how many.
    virtual Result<std::uint64_t> remove_before(std::string_view collection, Timestamp before,
                                                const std::vector<std::string>& status) = 0;

    // Settings and marks. value() of a key never set is NotFound.
    virtual Result<Unit> set_value(std::string_view key, std::string_view value) = 0;
    virtual Result<std::string> value(std::string_view key) = 0;
};

class StateStore : public Operations {
public:
    // Opens or creates the database and brings it to the newest version. Errors: Corruption; Conflict if a newer Stoker
    // wrote it; Unavailable (the disk, or another process that keeps it locked). Each names the file.
    static Result<std::unique_ptr<StateStore>> open(const std::string& path);

    // As Operations::put with a durability; plain put() is Durability::Process.
    virtual Result<std::int64_t> put(std::string_view collection, const Document& document, Durability durability) = 0;
    using Operations::put;

    // Runs `body` in one transaction: all of it or, when it returns an error, nothing. REQUIRES: `body` uses only the
    // Operations it is given, never the store.
    virtual Result<Unit> transact(Durability durability, const std::function<Result<Unit>(Operations&)>& body) = 0;

    // Writes the intent, durable against power loss when it returns: execute only then. Errors: Conflict if an action
    // with this id was ever begun; then don't execute.
    virtual Result<Unit> begin_action(const Action& action) = 0;

    // Writes the result, as durable. Errors: NotFound; Conflict if it was finished before.
    virtual Result<Unit> finish_action(std::string_view id, ActionStatus status, std::string_view result,
                                       Timestamp at) = 0;

    // Newest first. With status Intended right after start: what a crash interrupted (look at the world, then finish).
    virtual Result<std::vector<Action>> actions(const ActionSelection& selection) = 0;

    // Inserts a key, or replaces all of it but when it was created and last used; durable against power loss when it
    // returns. Errors: Conflict (another key has its hash).
    virtual Result<Unit> put_api_key(const ApiKey& key) = 0;
    // As durable. Removing what is not there is no error.
    virtual Result<Unit> remove_api_key(std::string_view id) = 0;
    // In one transaction; Durability::Process. Of keys that are not there nothing is noted.
    virtual Result<Unit> note_api_key_uses(const std::vector<std::pair<std::string, Timestamp>>& uses) = 0;
    // All, oldest first.
    virtual Result<std::vector<ApiKey>> api_keys() = 0;

    // Writes a copy of the whole, as it is now, to `path`, durable when it returns. Errors: Unavailable (the disk, or
    // `path` exists).
    virtual Result<Unit> copy_to(const std::string& path) = 0;

    // Error after a write failed for a reason of the disk; Unit once a write has succeeded again.
    virtual Result<Unit> health() const = 0;
};

}  // namespace stoker::state
