#include "gateway/auth/identity.h"

#include <algorithm>
#include <array>

namespace stoker::gateway {
namespace {

constexpr std::array<std::string_view, 3> kPriorities = {"low", "normal", "high"};

bool matches(std::string_view pattern, std::string_view model) {
    if (!pattern.ends_with('*')) return pattern == model;
    return model.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

std::string_view to_string(Priority priority) {
    return kPriorities[static_cast<std::size_t>(priority)];
}

std::optional<Priority> parse_priority(std::string_view text) {
    const auto found = std::find(kPriorities.begin(), kPriorities.end(), text);
    if (found == kPriorities.end()) return std::nullopt;
    return static_cast<Priority>(found - kPriorities.begin());
}

bool ModelBounds::allow(std::string_view model) const {
    return std::all_of(lists_.begin(), lists_.end(), [model](const std::vector<std::string>& patterns) {
        return std::any_of(patterns.begin(), patterns.end(),
                           [model](const std::string& pattern) { return matches(pattern, model); });
    });
}

const std::shared_ptr<const Identity>& anonymous() {
    static const auto kNobody = std::make_shared<const Identity>();
    return kNobody;
}

}  // namespace stoker::gateway
