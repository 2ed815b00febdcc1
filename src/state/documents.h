// Documents and settings in SQLite: the Operations of the state store, without its lock.
#pragma once

#include "state/sqlite.h"
#include "state/state_store.h"

namespace stoker::state {

class Documents final : public Operations {
public:
    // REQUIRES: `database` outlives it.
    explicit Documents(Database& database) : database_(database) {}

    Result<std::int64_t> put(std::string_view collection, const Document& document) override;
    Result<Document> get(std::string_view collection, std::string_view id) override;
    Result<std::vector<Document>> list(std::string_view collection, const Selection& selection) override;
    Result<std::uint64_t> count(std::string_view collection, const Selection& selection) override;
    Result<Unit> remove(std::string_view collection, std::string_view id) override;
    Result<std::uint64_t> remove_before(std::string_view collection, Timestamp before,
                                        const std::vector<std::string>& status) override;
    Result<Unit> set_value(std::string_view key, std::string_view value) override;
    Result<std::string> value(std::string_view key) override;

private:
    Database& database_;
};

}  // namespace stoker::state
