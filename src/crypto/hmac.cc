#include "crypto/hmac.h"

#include <algorithm>
#include <array>

#include "crypto/base64url.h"

namespace stoker::crypto {

Digest hmac_sha256(std::string_view key, std::string_view data) {
    constexpr std::size_t kBlock = 64;  // Of SHA-256, in bytes.
    std::array<char, kBlock> padded{};
    const Digest hashed = sha256(key);
    if (key.size() > kBlock) {
        std::copy(hashed.begin(), hashed.end(), padded.begin());
    } else {
        std::copy(key.begin(), key.end(), padded.begin());
    }
    std::string inner;
    std::string outer;
    for (const char c : padded) {
        inner.push_back(static_cast<char>(c ^ 0x36));
        outer.push_back(static_cast<char>(c ^ 0x5c));
    }
    const Digest first = sha256(inner.append(data));
    outer.append(first.begin(), first.end());
    return sha256(outer);
}

std::string base64_encode(std::string_view bytes) {
    std::string text = base64url_encode(bytes);
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.find_first_of("-_") != std::string_view::npos) return std::nullopt;
    if (text.size() % 4 == 0) {
        for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    }
    std::string url(text);
    std::replace(url.begin(), url.end(), '+', '-');
    std::replace(url.begin(), url.end(), '/', '_');
    return base64url_decode(url);
}

}  // namespace stoker::crypto
