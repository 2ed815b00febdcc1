// Which replica of a pool gets a request, and why: health, rest and adapters say who may, the pool's balancer who does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "gateway/balance/balancer.h"

namespace stoker::gateway {

struct Pool;

// What a choice may depend on. Views are valid during the call only.
struct PickRequest {
    std::span<const std::size_t> tried{};  // Targets that failed for this request already.
    SteadyTime now{};
    std::string_view model{};     // As the client named it.
    std::string_view adapter{};   // The LoRA adapter of the pool's model that is wanted; empty: none.
    std::string_view prompt{};    // `messages`, `prompt` or `input` as written; empty if there is none.
    std::string_view session{};   // Whose requests should stay together; empty: unknown.
    std::int64_t max_tokens = 0;  // That the answer may have; 0: not said.
    bool stream = false;
};

// The target that the pool's policy prefers among those that serve, or whose circuit is open and due for a trial, are
// not in `tried`, and have the adapter, if one is wanted: of these those that did not ask for rest, and of these those
// that list the model itself as an adapter, as far as there are any. If none serves, one that is out for being worse
// than the others; empty if there is none either. The pool takes the request to go there. Thread-safe.
std::optional<Pick> pick_target(const Pool& pool, const PickRequest& request);

// One target as the choice saw it.
struct TargetExplanation {
    std::string replica;
    std::string excluded;  // Why it can't be chosen; empty: it can.
    bool chosen = false;
    bool has_adapter = false;
    PickInputs inputs;
    Duration engine_age{0};  // Of inputs.view.engine, where that is known.
    double foreign_requests = 0;
};

struct PickExplanation {
    BalanceKind policy{};
    std::optional<Pick> pick;  // Empty: nobody serves.
    std::vector<TargetExplanation> targets;
};

// What pick_target() would do now; changes nothing. Thread-safe.
PickExplanation explain_pick(const Pool& pool, const PickRequest& request);

}  // namespace stoker::gateway
