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

std::string random_hex(std::size_t bytes) {
    std::string out;
    out.reserve(2 * bytes);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
        if (i % 8 == 0) bits = generator()();
        out += kHex[(bits >> 4) & 0xF];
        out += kHex[bits & 0xF];
        bits >>= 8;
    }
    return out;
}

std::string make_id(std::string_view prefix) {
    // 48 bits of milliseconds (enough until the year 10889) before 80 random ones, like a UUID of version 7.
    constexpr int kTimeDigits = 12;
    constexpr std::size_t kRandomBytes = 10;
    const auto millis = static_cast<std::uint64_t>(to_millis(now()));
    std::string out(prefix);
    for (int digit = kTimeDigits - 1; digit >= 0; --digit) out += kHex[(millis >> (4 * digit)) & 0xF];
    return out + random_hex(kRandomBytes);
}

}  // namespace stoker
