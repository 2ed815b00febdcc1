// HMAC-SHA256 (RFC 2104), and base64 as RFC 4648, section 4 has it. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/hash.h"

namespace stoker::crypto {

Digest hmac_sha256(std::string_view key, std::string_view data);

// With padding.
std::string base64_encode(std::string_view bytes);
// Nothing for what no encoder writes. Padding may be missing.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace stoker::crypto
