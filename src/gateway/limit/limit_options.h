// How much may be asked of the gateway: limits by tenant, key, model and in all, as plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"

namespace stoker::gateway {

// Whose limit, and of what. Both name metrics' labels and stand in refusals: their texts are stable.
enum class LimitScope : std::uint8_t { Global, Tenant, Key, Model };
enum class LimitKind : std::uint8_t { Requests, Tokens, Concurrent, DayTokens };
inline constexpr std::size_t kLimitScopes = 4;
inline constexpr std::size_t kLimitKinds = 4;
std::string_view to_string(LimitScope scope);  // global, tenant, key, model
std::string_view to_string(LimitKind kind);    // requests_per_minute, tokens_per_minute, concurrent_requests, ...

// 0: no limit.
struct LimitSet {
    std::int64_t requests_per_minute = 0;
    std::int64_t tokens_per_minute = 0;  // Prompt and completion together.
    std::int64_t concurrent_requests = 0;
    std::int64_t tokens_per_day = 0;  // By the UTC day.

    std::int64_t of(LimitKind kind) const;
    bool any() const;
};

struct LimitsOptions {
    // How much of a minute's requests and tokens may be used at once after a pause.
    Duration burst{60'000};
    LimitSet global{};
    LimitSet each_tenant{};  // For those that are not named below.
    LimitSet each_key{};
    LimitSet each_model{};
    std::map<std::string, LimitSet, std::less<>> tenants{};
    std::map<std::string, LimitSet, std::less<>> keys{};  // By key id.
    std::map<std::string, LimitSet, std::less<>> models{};

    // What applies to this tenant, key or model. Global has no name.
    const LimitSet& of(LimitScope scope, std::string_view name) const;
    // Whether the configuration has an entry for it. Models and the global limit always count as named.
    bool names(LimitScope scope, std::string_view name) const;
    bool any() const;
};

}  // namespace stoker::gateway
