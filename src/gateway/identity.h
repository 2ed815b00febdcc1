// Who asks: what the key or the token of a request says about its sender.
//
// Plain values. A request shares the one of its key, so that nothing is copied on the way.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace stoker::gateway {

// When there is not enough for all, the lower go first.
enum class Priority : std::uint8_t { Low, Normal, High };

struct Identity {
    std::string tenant;  // Empty while no keys are asked for.
    std::string key_id;  // Of the key, never the key; empty for tokens and where no keys are asked for.
    Priority priority = Priority::Normal;
    std::vector<std::string> models;  // What it may ask for; empty: everything.
    std::map<std::string, std::string> metadata;
};

// Whoever asks where no keys are asked for: no tenant, no bounds.
const std::shared_ptr<const Identity>& anonymous();

}  // namespace stoker::gateway
