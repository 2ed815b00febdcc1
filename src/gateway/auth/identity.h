// Who asks: what the key or the token of a request says about its sender.
//
// Plain values. A request shares the one of its key, so that nothing is copied on the way.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stoker::gateway {

// When there is not enough for all, the lower go first.
enum class Priority : std::uint8_t { Low, Normal, High };
std::string_view to_string(Priority priority);  // "low", "normal", "high"
std::optional<Priority> parse_priority(std::string_view text);

// Which models may be asked for. Several have a say (the tenant, the key, the token), and all must agree.
class ModelBounds {
public:
    // One more that has a say: only these, as names or as beginnings of names ("llama-*"). None of them: no model.
    void restrict_to(std::vector<std::string> patterns) { lists_.push_back(std::move(patterns)); }

    bool allow(std::string_view model) const;
    bool everything() const { return lists_.empty(); }

private:
    std::vector<std::vector<std::string>> lists_;
};

struct Identity {
    std::string tenant;  // Empty while no keys are asked for.
    std::string key_id;  // Of the key, never the key; empty for tokens and where no keys are asked for.
    Priority priority = Priority::Normal;
    ModelBounds models;
    std::map<std::string, std::string> metadata;  // The key's over the tenant's.
    bool tenant_is_label = false;                 // The configuration names the tenant: fit for labels of metrics.
};

// Whoever asks where no keys are asked for: no tenant, no bounds.
const std::shared_ptr<const Identity>& anonymous();

}  // namespace stoker::gateway
