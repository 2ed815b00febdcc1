// SHA-256, and comparing what must stay secret.
//
// Pure, thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stoker::crypto {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view data);

// Takes the same time wherever the first difference is.
bool equal_in_constant_time(const Digest& a, const Digest& b);

// 64 lower-case hex digits, and back (upper case too); nothing for any other text.
std::string to_hex(const Digest& digest);
std::optional<Digest> digest_from_hex(std::string_view text);

}  // namespace stoker::crypto
