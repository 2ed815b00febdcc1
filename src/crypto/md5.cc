#include "crypto/md5.h"

#include <bit>
#include <cstring>

// Written out (RFC 1321): OpenSSL refuses MD5 where FIPS mode is on, and a target must not change its shard for that.
namespace stoker::crypto {
namespace {

constexpr std::array<std::uint32_t, 64> kSines = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
constexpr std::size_t kBlock = 64;

using State = std::array<std::uint32_t, 4>;

void add_block(State& state, const char* bytes) {
    std::array<std::uint32_t, 16> words;
    std::memcpy(words.data(), bytes, kBlock);  // Little-endian, as all machines that Stoker is built for.
    auto [a, b, c, d] = state;
    for (unsigned i = 0; i < 64; ++i) {
        std::uint32_t mixed = 0;
        unsigned word = i;
        if (i < 16) {
            mixed = (b & c) | (~b & d);
        } else if (i < 32) {
            mixed = (d & b) | (~d & c);
            word = 5 * i + 1;
        } else if (i < 48) {
            mixed = b ^ c ^ d;
            word = 3 * i + 5;
        } else {
            mixed = c ^ (b | ~d);
            word = 7 * i;
        }
        const std::uint32_t sum = a + mixed + kSines[i] + words[word % 16];
        a = d;
        d = c;
        c = b;
        b += std::rotl(sum, kShifts[i / 16][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

}  // namespace

std::array<std::uint8_t, 16> md5(std::string_view data) {
    static_assert(std::endian::native == std::endian::little);
    State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    const std::uint64_t bits = std::uint64_t{data.size()} * 8;
    for (; data.size() >= kBlock; data.remove_prefix(kBlock)) add_block(state, data.data());
    std::array<char, 2 * kBlock> last{};
    if (!data.empty()) std::memcpy(last.data(), data.data(), data.size());
    last[data.size()] = static_cast<char>(0x80);
    const std::size_t end = data.size() < kBlock - 8 ? kBlock : 2 * kBlock;
    std::memcpy(last.data() + end - 8, &bits, 8);
    for (std::size_t at = 0; at < end; at += kBlock) add_block(state, last.data() + at);
    std::array<std::uint8_t, 16> digest;
    std::memcpy(digest.data(), state.data(), digest.size());
    return digest;
}

}  // namespace stoker::crypto
