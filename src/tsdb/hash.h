// The hash of label sets. It is part of the format on disk (it decides a series' shard, and so its id): never change
// it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace stoker::tsdb {

static_assert(std::endian::native == std::endian::little, "the hash and the files are little-endian");

// Both halves of the 128-bit product, folded: the mixing step of the wyhash family.
inline std::uint64_t mix64(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Hash of `text`, chained on `seed`. Fast and well spread; not for keys that an enemy picks to collide on purpose.
inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
    constexpr std::uint64_t kBlock = 0x9e3779b97f4a7c15ULL;
    constexpr std::uint64_t kTail = 0xd6e8feb86659fd93ULL;
    std::uint64_t hash = seed ^ kBlock;
    const char* at = text.data();
    std::size_t left = text.size();
    std::uint64_t word = 0;
    for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
        std::memcpy(&word, at, sizeof(word));
        hash = mix64(hash ^ word, kBlock);
    }
    word = 0;
    if (left > 0) {
        std::memcpy(&word, at, left);
    }
    return mix64(hash ^ word, kTail ^ text.size());
}

}  // namespace stoker::tsdb
