// How many tokens a text presumably has, where nobody has counted and nothing was learnt: the one place for it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stoker::gateway {

inline constexpr std::size_t kBytesPerToken = 4;

// Rounded up.
constexpr std::int64_t estimated_tokens(std::size_t bytes) {
    return static_cast<std::int64_t>((bytes + kBytesPerToken - 1) / kBytesPerToken);
}

}  // namespace stoker::gateway
