// base64url without padding (RFC 4648, section 5), as JSON web tokens write bytes. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stoker::crypto {

std::string base64url_encode(std::string_view bytes);

// Nothing for what no encoder writes: other characters, padding, a length that can't be, bits left over that are not 0.
// So each sequence of bytes has one text only.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace stoker::crypto
