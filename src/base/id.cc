#include "base/id.h"

#include <array>
#include <cstdint>
#include <random>

#include "base/time.h"

namespace stoker {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::mt19937_64& generator() {
    thread_local std::mt19937_64 engine = [] {
        std::random_device source;
        std::seed_seq seed{source(), source(), source(), source(), source(), source(), source(), source()};
        return std::mt19937_64(seed);
    }();
    return engine;
}

}  // namespace

namespace {

// Appends the lower `digits` hex digits of `bits`, the most significant first.
void append_hex(std::string& out, std::uint64_t bits, int digits) {
    std::array<char, 16> text;
    for (int i = digits - 1; i >= 0; --i) {
        text[static_cast<std::size_t>(i)] = kHex[bits & 0xF];
        bits >>= 4;
    }
    out.append(text.data(), static_cast<std::size_t>(digits));
}

void append_random_hex(std::string& out, std::size_t bytes) {
    for (; bytes > 8; bytes -= 8) append_hex(out, generator()(), 16);
    append_hex(out, generator()(), static_cast<int>(2 * bytes));
}

}  // namespace

std::string random_hex(std::size_t bytes) {
    std::string out;
    out.reserve(2 * bytes);
    append_random_hex(out, bytes);
    return out;
}

std::string make_id(std::string_view prefix) {
    // 48 bits of milliseconds (enough until the year 10889) before 80 random ones, like a UUID of version 7.
    constexpr int kTimeDigits = 12;
    constexpr std::size_t kRandomBytes = 10;
    std::string out;
    out.reserve(prefix.size() + kTimeDigits + 2 * kRandomBytes);
    out += prefix;
    append_hex(out, static_cast<std::uint64_t>(to_millis(now())), kTimeDigits);
    append_random_hex(out, kRandomBytes);
    return out;
}

}  // namespace stoker
