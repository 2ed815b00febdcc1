#include "state/state_store.h"

#include <fmt/format.h>

#include <filesystem>
#include <type_traits>

#include "base/file.h"
#include "base/sync.h"
#include "state/actions.h"
#include "state/api_keys.h"
#include "state/documents.h"
#include "state/migrations.h"

namespace stoker::state {
namespace {

class SqliteStore final : public StateStore {
public:
    explicit SqliteStore(Database database) : database_(std::move(database)), documents_(database_) {}

    Result<Unit> prepare() {
        MutexLock lock(mutex_);
        TRY_UNIT(check_integrity());
        TRY_UNIT(database_.execute("PRAGMA journal_mode = WAL"));
        TRY_UNIT(use(Durability::Process));
        return migrate(database_);
    }

    Result<std::int64_t> put(std::string_view collection, const Document& document) override {
        return put(collection, document, Durability::Process);
    }
    Result<std::int64_t> put(std::string_view collection, const Document& document, Durability durability) override {
        return write(durability, [&](Database&, Documents& documents) { return documents.put(collection, document); });
    }
    Result<Document> get(std::string_view collection, std::string_view id) override {
        MutexLock lock(mutex_);
        return documents_.get(collection, id);
    }
    Result<std::vector<Document>> list(std::string_view collection, const Selection& selection) override {
        MutexLock lock(mutex_);
        return documents_.list(collection, selection);
    }
    Result<std::uint64_t> count(std::string_view collection, const Selection& selection) override {
        MutexLock lock(mutex_);
        return documents_.count(collection, selection);
    }
    Result<Unit> remove(std::string_view collection, std::string_view id) override {
        return write(Durability::Process,
                     [&](Database&, Documents& documents) { return documents.remove(collection, id); });
    }
    Result<std::uint64_t> remove_before(std::string_view collection, Timestamp before,
                                        const std::vector<std::string>& status) override {
        return write(Durability::Process, [&](Database&, Documents& documents) {
            return documents.remove_before(collection, before, status);
        });
    }
    Result<Unit> set_value(std::string_view key, std::string_view value) override {
        return write(Durability::Process,
                     [&](Database&, Documents& documents) { return documents.set_value(key, value); });
    }
    Result<std::string> value(std::string_view key) override {
        MutexLock lock(mutex_);
        return documents_.value(key);
    }

    Result<Unit> transact(Durability durability, const std::function<Result<Unit>(Operations&)>& body) override {
        return write(durability, [&](Database& database, Documents& documents) -> Result<Unit> {
            TRY(auto transaction, Transaction::begin(database));
            TRY_UNIT(body(documents));
            return transaction.commit();
        });
    }

    Result<Unit> begin_action(const Action& action) override {
        return write(Durability::Power,
                     [&](Database& database, Documents&) { return insert_intent(database, action); });
    }
    Result<Unit> finish_action(std::string_view id, ActionStatus status, std::string_view result,
                               Timestamp at) override {
        return write(Durability::Power,
                     [&](Database& database, Documents&) { return update_result(database, id, status, result, at); });
    }
    Result<std::vector<Action>> actions(const ActionSelection& selection) override {
        MutexLock lock(mutex_);
        return select_actions(database_, selection);
    }

    Result<Unit> put_api_key(const ApiKey& key) override {
        return write(Durability::Power,
                     [&](Database& database, Documents&) { return state::put_api_key(database, key); });
    }
    Result<Unit> remove_api_key(std::string_view id) override {
        return write(Durability::Power,
                     [&](Database& database, Documents&) { return state::remove_api_key(database, id); });
    }
    Result<Unit> note_api_key_uses(const std::vector<std::pair<std::string, Timestamp>>& uses) override {
        return write(Durability::Process, [&](Database& database, Documents&) -> Result<Unit> {
            TRY(auto transaction, Transaction::begin(database));
            for (const auto& [id, at] : uses) TRY_UNIT(note_api_key_use(database, id, at));
            return transaction.commit();
        });
    }
    Result<std::vector<ApiKey>> api_keys() override {
        MutexLock lock(mutex_);
        return select_api_keys(database_);
    }

    Result<Unit> copy_to(const std::string& path) override {
        MutexLock lock(mutex_);
        TRY(Query copy, database_.query("VACUUM INTO ?"));
        TRY_UNIT(copy.bind(path).run());
        return Unit{};
    }
    Result<Unit> health() const override {
        MutexLock lock(mutex_);
        if (failed_) return Error(*failed_);
        return Unit{};
    }

private:
    // Cheap here: the database holds incidents and actions, not samples.
    Result<Unit> check_integrity() REQUIRES_LOCK(mutex_) {
        TRY(auto query, database_.query("PRAGMA quick_check(1)"));
        TRY(const bool row, query.step());
        const std::string answer = row ? query.text(0) : "no answer";
        if (answer == "ok") return Unit{};
        return Error{Errc::Corruption, fmt::format("{} is damaged: {}", database_.path(), answer)};
    }

    // In WAL mode NORMAL keeps commits through the end of the process, FULL syncs the log at each.
    Result<Unit> use(Durability durability) REQUIRES_LOCK(mutex_) {
        if (durability_ == durability) return Unit{};
        TRY_UNIT(database_.execute(durability == Durability::Power ? "PRAGMA synchronous = FULL"
                                                                   : "PRAGMA synchronous = NORMAL"));
        durability_ = durability;
        return Unit{};
    }

    // Runs `change` under the lock with the durability set, and remembers whether the disk took it.
    template <typename F>
    auto write(Durability durability, F change) -> std::invoke_result_t<F, Database&, Documents&> {
        MutexLock lock(mutex_);
        TRY_UNIT(use(durability));
        auto result = change(database_, documents_);
        if (result) {
            failed_.reset();
        } else if (is_of_the_disk(result.error().code)) {
            failed_ = result.error();
        }
        return result;
    }

    static bool is_of_the_disk(Errc code) {
        return code == Errc::ResourceExhausted || code == Errc::Unavailable || code == Errc::Corruption;
    }

    mutable Mutex mutex_;
    Database database_ GUARDED_BY(mutex_);
    Documents documents_ GUARDED_BY(mutex_);
    std::optional<Durability> durability_ GUARDED_BY(mutex_);
    std::optional<Error> failed_ GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<StateStore>> StateStore::open(const std::string& path) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (!folder.empty()) TRY_UNIT(ensure_directory(folder));
    TRY(auto database, Database::open(path));
    auto store = std::make_unique<SqliteStore>(std::move(database));
    if (auto prepared = store->prepare(); !prepared)
        return std::move(prepared).error().context(fmt::format("open state store {}", path));
    return std::unique_ptr<StateStore>(std::move(store));
}

}  // namespace stoker::state
