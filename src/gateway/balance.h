// Which replica of a pool gets a request.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"

namespace stoker::gateway {

struct Pool;

// What a choice may depend on. Views are valid during the call only.
struct PickRequest {
    std::span<const std::size_t> tried{};  // Targets that failed for this request already.
    SteadyTime now{};
    std::string_view model{};    // As the client named it; may be a LoRA adapter.
    std::string_view prompt{};   // `messages`, `prompt` or `input` as written; empty if there is none.
    std::string_view session{};  // Whose requests should stay together; empty: unknown.
};

// The target that the pool's policy prefers among those that serve and are not in `tried`; those that asked for rest
// only if there is no other. Empty if there is none. Thread-safe.
std::optional<std::size_t> pick_target(const Pool& pool, const PickRequest& request);

}  // namespace stoker::gateway
