// Why one model could not serve a request, and so which other one may. Plain values.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace stoker::gateway {

// What a fallback is chosen by.
enum class FallbackCause : std::uint8_t {
    Down,            // No replica takes requests, or all that were tried failed.
    Overloaded,      // Its replicas said 429 or 503, or the wait for a turn was too long.
    ContextTooLong,  // The prompt is longer than the model takes.
    ContentRefused   // The engine or its policy refused what was asked.
};
std::string_view to_string(FallbackCause cause);  // snake_case, as in the configuration
std::optional<FallbackCause> parse_fallback_cause(std::string_view text);

class FallbackCauses {
public:
    constexpr FallbackCauses() = default;
    constexpr FallbackCauses(std::initializer_list<FallbackCause> causes) {
        for (const FallbackCause cause : causes) add(cause);
    }

    constexpr void add(FallbackCause cause) { bits_ = static_cast<std::uint8_t>(bits_ | bit(cause)); }
    constexpr bool has(FallbackCause cause) const { return (bits_ & bit(cause)) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    friend constexpr bool operator==(FallbackCauses, FallbackCauses) = default;

private:
    static constexpr std::uint8_t bit(FallbackCause cause) {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(cause));
    }

    std::uint8_t bits_ = 0;
};

}  // namespace stoker::gateway
