#include "wire/remote_read_chunk.h"

#include <algorithm>
#include <array>
#include <bit>

namespace stoker::wire {
namespace {

constexpr std::size_t kCountBytes = 2;

// How a difference of differences is written: a prefix that says the width, then so many bits.
struct Width {
    std::uint64_t prefix;
    int prefix_bits;
    int bits;
};
constexpr std::array<Width, 3> kWidths = {{{0b10, 2, 14}, {0b110, 3, 17}, {0b1110, 4, 20}}};
constexpr Width kWidest = {0b1111, 4, 64};

bool fits(std::int64_t change, int bits) {
    const std::int64_t half = std::int64_t{1} << (bits - 1);
    return change > -half && change <= half;
}

}  // namespace

XorChunk::XorChunk() : bytes_(kCountBytes, '\0') {}

void XorChunk::write_bits(std::uint64_t bits, int width) {
    while (width > 0) {
        if (free_bits_ == 0) {
            bytes_.push_back('\0');
            free_bits_ = 8;
        }
        const int now = std::min(width, free_bits_);
        const std::uint64_t part = (bits >> (width - now)) & ((std::uint64_t{1} << now) - 1);
        bytes_.back() = static_cast<char>(static_cast<std::uint8_t>(bytes_.back()) | (part << (free_bits_ - now)));
        free_bits_ -= now;
        width -= now;
    }
}

void XorChunk::write_unsigned(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) {
        write_byte(static_cast<std::uint8_t>(number | 0x80));
    }
    write_byte(static_cast<std::uint8_t>(number));
}

void XorChunk::write_time(std::int64_t change) {
    if (change == 0) {
        write_bits(0, 1);
        return;
    }
    const auto fitting =
        std::find_if(kWidths.begin(), kWidths.end(), [change](const Width& width) { return fits(change, width.bits); });
    const Width& width = fitting == kWidths.end() ? kWidest : *fitting;
    write_bits(width.prefix, width.prefix_bits);
    write_bits(static_cast<std::uint64_t>(change), width.bits);
}

void XorChunk::write_value(double value) {
    constexpr int kMaxLeading = 31;  // Five bits hold it.
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t changed = bits ^ value_;
    value_ = bits;
    if (changed == 0) {
        write_bits(0, 1);
        return;
    }
    const int leading = std::min(std::countl_zero(changed), kMaxLeading);
    const int trailing = std::countr_zero(changed);
    if (leading_ != kNoWindow && leading >= leading_ && trailing >= trailing_) {
        write_bits(0b10, 2);
        write_bits(changed >> trailing_, 64 - leading_ - trailing_);
        return;
    }
    leading_ = leading;
    trailing_ = trailing;
    const int window = 64 - leading - trailing;
    write_bits(0b11, 2);
    write_bits(static_cast<std::uint64_t>(leading), 5);
    write_bits(static_cast<std::uint64_t>(window), 6);  // 64 becomes 0, which no window else is.
    write_bits(changed >> trailing, window);
}

void XorChunk::append(std::int64_t time, double value) {
    // Differences wrap like Go's, in which the format is defined.
    const auto step = static_cast<std::int64_t>(static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(time_));
    if (count_ == 0) {
        min_time_ = time;
        write_unsigned((static_cast<std::uint64_t>(time) << 1) ^ static_cast<std::uint64_t>(time >> 63));
        value_ = std::bit_cast<std::uint64_t>(value);
        write_bits(value_, 64);
    } else {
        if (count_ == 1) {
            write_unsigned(static_cast<std::uint64_t>(step));
        } else {
            write_time(static_cast<std::int64_t>(static_cast<std::uint64_t>(step) - static_cast<std::uint64_t>(step_)));
        }
        step_ = step;
        write_value(value);
    }
    time_ = time;
    ++count_;
}

std::string XorChunk::take() {
    bytes_[0] = static_cast<char>(count_ >> 8);
    bytes_[1] = static_cast<char>(count_);
    std::string bytes = std::move(bytes_);
    *this = XorChunk();
    return bytes;
}

}  // namespace stoker::wire
