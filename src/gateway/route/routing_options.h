// How requests are spread over models, as plain values: aliases, rules, splits, canaries.
//
// A name that clients ask for is an alias, a split, a canary or a model. Wherever a destination is wanted (`to`), any
// of them may stand, and a pool; inside a split only models, pools, and aliases of those.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/time_zone.h"
#include "gateway/limit/limit_options.h"

namespace stoker::gateway {

// Where a destination is a pool: "pool:NAME". The model asked for is then served by that pool, or, if it does not list
// it, the pool's first one.
inline constexpr std::string_view kPoolPrefix = "pool:";

// Another name for a destination.
struct AliasOptions {
    std::string name{};
    std::string to{};
};

// Hours of days of the week; past midnight if it ends before it begins, and then it belongs to the day it began on.
struct TimeWindow {
    int from_minute = 0;   // Of the day, inclusive.
    int to_minute = 0;     // Exclusive; the same as from_minute: the whole day.
    unsigned days = 0x7f;  // One bit each, Sunday is bit 0.
    TimeZone zone{};
    std::string text{};  // As configured, for people.
};

// Every condition that is given must hold. Texts may have `*` for any characters.
struct RuleOptions {
    std::string name{};
    std::vector<std::string> models{};  // What the client asked for.
    std::vector<std::string> paths{};
    std::vector<std::string> tenants{};
    std::map<std::string, std::string> headers{};
    std::map<std::string, std::string> metadata{};  // Of the key.
    std::int64_t min_prompt_tokens = 0;             // Estimated: four bytes a token.
    std::int64_t max_prompt_tokens = 0;             // 0: no bound.
    std::optional<TimeWindow> time{};
    std::string to{};
};

// What keeps a client on its side of a split.
enum class StickyBy : std::uint8_t { Nothing, User, Session, Tenant, Header };

struct SplitArmOptions {
    std::string to{};
    double weight = 0;
};

struct SplitOptions {
    std::string name{};
    StickyBy by = StickyBy::Nothing;
    std::string header{};  // For StickyBy::Header; of Session the header that names it.
    std::vector<SplitArmOptions> arms{};
};

// A split that moves its own weights: from the control to the candidate as long as that does no worse.
struct CanaryOptions {
    std::string name{};
    std::string control{};
    std::string candidate{};
    StickyBy by = StickyBy::Nothing;
    std::string header{};
    std::vector<double> steps{1, 5, 25, 50};  // Percent of the requests; after the last one all of them.
    Duration hold{600'000};                   // At least so long on each step.
    std::int64_t min_requests = 100;          // Of each arm on each step, before anything is decided.
    double max_error_increase = 0.01;         // Of the share of failed requests, candidate less control.
    double max_latency_ratio = 1.25;          // Of the 95th percentiles, time to first token and duration.
    double false_alarm = 0.01;                // The chance to roll back a candidate that is just within the bounds.

    friend bool operator==(const CanaryOptions&, const CanaryOptions&) = default;
};

// Copies of requests that another model gets too; what it answers nobody sees.
struct ShadowOptions {
    RuleOptions match{};  // Its name, whose requests, and where the copies go.
    double percent = 100;
    LimitSet limits{.requests_per_minute = 60, .concurrent_requests = 4, .tokens_per_day = 1'000'000};
    Duration timeout{120'000};  // For one copy, from its first byte sent to its last one read.
    std::size_t max_body_bytes = 256 * 1024;
};

struct RoutingOptions {
    std::vector<AliasOptions> aliases{};
    std::vector<RuleOptions> rules{};
    std::vector<SplitOptions> splits{};
    std::vector<CanaryOptions> canaries{};
    std::vector<ShadowOptions> shadows{};

    // Whether names mean just what they say.
    bool empty() const { return aliases.empty() && rules.empty() && splits.empty() && canaries.empty(); }
};

}  // namespace stoker::gateway
