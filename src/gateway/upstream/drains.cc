#include "gateway/upstream/drains.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace stoker::gateway {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;

}  // namespace

void Drains::restore(std::string_view kept, Save save) {
    save_ = std::move(save);
    const json found = json::parse(kept, nullptr, false);
    if (!found.is_object() || found.value("version", 0) != kVersion || !found.contains("drained")) return;
    const json& drained = found["drained"];
    if (!drained.is_object()) return;
    for (const auto& [replica, reason] : drained.items()) {
        if (reason.is_string()) reasons_[replica] = reason.get<std::string>();
    }
}

void Drains::add(const std::string& replica, const std::string& reason) {
    const auto [at, fresh] = reasons_.try_emplace(replica, reason);
    if (!fresh && !reason.empty()) at->second = reason;  // Said again without one, the first stays.
    save();
}

void Drains::remove(const std::string& replica) {
    if (reasons_.erase(replica) > 0) save();
}

const std::string* Drains::reason(const std::string& replica) const {
    const auto found = reasons_.find(replica);
    return found == reasons_.end() ? nullptr : &found->second;
}

void Drains::save() const {
    if (save_) save_(json{{"version", kVersion}, {"drained", reasons_}}.dump());
}

}  // namespace stoker::gateway
