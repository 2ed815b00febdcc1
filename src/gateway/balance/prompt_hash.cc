#include "gateway/balance/prompt_hash.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace stoker::gateway {
namespace {

__extension__ using Wide = unsigned __int128;

// Odd numbers with about as many ones as zeros, from the digits of pi and e.
constexpr std::uint64_t kFirst = 0x243f6a8885a308d3;
constexpr std::uint64_t kSecond = 0x13198a2e03707345;
constexpr std::uint64_t kThird = 0xb7e151628aed2a6b;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t word(const char* at) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
    return value;
}

// Two chains at once, so that one multiplication need not wait for the other.
std::uint64_t hash_block(const char* at, std::uint64_t seed) {
    std::uint64_t left = seed ^ kFirst;
    std::uint64_t right = seed ^ kSecond;
    for (const char* end = at + kPromptBlockBytes; at < end; at += 32) {
        left = mix(word(at) ^ left, word(at + 8) ^ kFirst);
        right = mix(word(at + 16) ^ right, word(at + 24) ^ kSecond);
    }
    return mix(left ^ kThird, right ^ seed);
}

}  // namespace

std::uint64_t stable_hash(std::string_view text, std::uint64_t seed) {
    std::uint64_t state = mix(seed ^ kFirst, text.size() ^ kSecond);
    while (!text.empty()) {
        char piece[16] = {};
        const std::size_t length = std::min(text.size(), sizeof piece);
        std::memcpy(piece, text.data(), length);
        state = mix(word(piece) ^ state, word(piece + 8) ^ kSecond);
        text.remove_prefix(length);
    }
    return mix(state ^ kThird, kFirst);
}

void hash_prompt(std::string_view prompt, std::uint64_t seed, std::size_t most, std::vector<PromptHash>& hashes) {
    const std::size_t count = std::min(prompt.size() / kPromptBlockBytes, most);
    hashes.resize(count);
    std::uint64_t chain = seed;
    for (std::size_t i = 0; i < count; ++i) {
        chain = hash_block(prompt.data() + i * kPromptBlockBytes, chain);
        hashes[i] = chain;
    }
}

}  // namespace stoker::gateway
