#include "app/limit_days.h"

#include <array>
#include <nlohmann/json.hpp>

namespace stoker::app {
namespace {

using gateway::LimitScope;

constexpr std::array kScopes = {LimitScope::Global, LimitScope::Tenant, LimitScope::Key, LimitScope::Model};

Timestamp start_of(std::int64_t day) {
    return Timestamp{std::chrono::days{day}};
}

std::optional<gateway::DayUse> read(const state::Document& document) {
    const auto body = nlohmann::json::parse(document.body, nullptr, false);
    const std::size_t slash = document.id.find('/');
    if (!body.is_object() || slash == std::string::npos) return {};
    const auto number = [&body](const char* key) {
        const auto found = body.find(key);
        return found != body.end() && found->is_number_integer() ? found->get<std::int64_t>() : -1;
    };
    for (const LimitScope scope : kScopes) {
        if (document.id.compare(0, slash, to_string(scope)) != 0) continue;
        gateway::DayUse use{scope, document.id.substr(slash + 1), number("day"), number("used")};
        if (use.day >= 0 && use.used >= 0) return use;
    }
    return {};
}

}  // namespace

Result<std::vector<gateway::DayUse>> load_limit_days(state::StateStore& store, Timestamp now) {
    constexpr std::size_t kMost = 200'000;
    TRY(const auto documents,
        store.list(kLimitDays, {.from = std::chrono::floor<std::chrono::days>(now), .limit = kMost}));
    std::vector<gateway::DayUse> days;
    for (const state::Document& document : documents) {
        if (auto use = read(document)) days.push_back(*std::move(use));
    }
    return days;
}

Result<Unit> save_limit_days(state::StateStore& store, const std::vector<gateway::DayUse>& days) {
    if (days.empty()) return Unit{};
    return store.transact(state::Durability::Process, [&days](state::Operations& write) -> Result<Unit> {
        std::int64_t newest = 0;
        for (const gateway::DayUse& use : days) {
            const nlohmann::json body = {{"v", 1}, {"day", use.day}, {"used", use.used}};
            TRY_UNIT(write.put(kLimitDays, {.id = std::string(to_string(use.scope)) + "/" + use.name,
                                            .time = start_of(use.day),
                                            .body = body.dump()}));
            newest = std::max(newest, use.day);
        }
        TRY_UNIT(write.remove_before(kLimitDays, start_of(newest), {}));
        return Unit{};
    });
}

}  // namespace stoker::app
