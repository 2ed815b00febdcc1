#include "journal/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace stoker::journal {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;
constexpr std::size_t kSlices = 8;  // Bytes per step: one table lookup each, independent of one another.
using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

// tables[k][b] is the effect of byte b that k more bytes follow.
constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
        tables[0][byte] = crc;
    }
    for (std::size_t slice = 1; slice < kSlices; ++slice) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[slice - 1][byte];
            tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}

constexpr Tables kTables = make_tables();

std::uint64_t load64(const char* bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    return word;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::uint32_t crc, std::string_view bytes) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    std::uint64_t state = ~crc;
    for (; end - at >= 8; at += 8) state = _mm_crc32_u64(state, load64(at));
    auto rest = static_cast<std::uint32_t>(state);
    for (; at != end; ++at) rest = _mm_crc32_u8(rest, static_cast<unsigned char>(*at));
    return ~rest;
}
#endif

}  // namespace

namespace internal {

std::uint32_t crc32c_portable(std::uint32_t crc, std::string_view bytes) {
    std::uint32_t state = ~crc;
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= kSlices; left -= kSlices, at += kSlices) {
        const std::uint64_t word = load64(at) ^ state;  // Little-endian: the first byte is the lowest.
        state = 0;
        for (std::size_t i = 0; i < kSlices; ++i) state ^= kTables[kSlices - 1 - i][(word >> (8 * i)) & 0xFF];
    }
    for (; left > 0; --left, ++at) {
        state = (state >> 8) ^ kTables[0][(state ^ static_cast<unsigned char>(*at)) & 0xFF];
    }
    return ~state;
}

}  // namespace internal

std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes) {
#if defined(__x86_64__)
    static const bool has_sse42 = __builtin_cpu_supports("sse4.2") != 0;
    if (has_sse42) return crc32c_sse42(crc, bytes);
#endif
    return internal::crc32c_portable(crc, bytes);
}

}  // namespace stoker::journal
