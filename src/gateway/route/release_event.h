// A change of the routes while Stoker runs: what, by whom and why. For the journal, the live feed, and those who look
// back.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace stoker::gateway {

struct ReleaseEvent {
    Timestamp at{};
    std::string kind{};  // alias_switched, alias_reset, canary_stepped, canary_promoted, canary_rolled_back, ...
    std::string name{};  // Of the alias or canary.
    std::string from{};  // Where it led; of a canary the control.
    std::string to{};    // Where it leads now; of a canary the candidate.
    std::optional<double> percent{};  // Of a canary: what the candidate gets from now on.
    std::string by{};                 // A person, "stoker" (the canary's judge) or "configuration".
    std::string reason{};
};

// Who asked for a change, and why.
struct ReleaseOrder {
    std::string by = "unknown";
    std::string reason = "by hand";
};

// {"v":1,"event":"release","at_ms",...}: the payload of its journal record.
nlohmann::json to_json(const ReleaseEvent& event);
// Empty: not that.
std::optional<ReleaseEvent> release_event_from(const nlohmann::json& one);

}  // namespace stoker::gateway
