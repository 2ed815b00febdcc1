#include "crypto/random.h"

#include <openssl/rand.h>

#include <array>

#include "base/check.h"

namespace stoker::crypto {

std::string random_text(std::size_t length, std::string_view alphabet) {
    // Bytes past the last whole multiple of the alphabet are thrown away: taking them modulo would favour some letters.
    const std::size_t fair = 256 - 256 % alphabet.size();
    std::string text;
    text.reserve(length);
    std::array<unsigned char, 64> bytes{};
    while (text.size() < length) {
        STOKER_CHECK(RAND_priv_bytes(bytes.data(), bytes.size()) == 1, "no random numbers");
        for (const unsigned char byte : bytes) {
            if (byte < fair && text.size() < length) text += alphabet[byte % alphabet.size()];
        }
    }
    return text;
}

}  // namespace stoker::crypto
