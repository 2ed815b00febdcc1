#include "tsdb/pfor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <vector>

namespace stoker::tsdb {

namespace {

std::uint64_t offset_of(std::int64_t value, std::int64_t base) {
    return static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(base);
}

bool inside(std::uint64_t offset, unsigned width) {
    return width == 64 || offset < (std::uint64_t{1} << width);
}

// What an exception of so many bits takes: a byte for its place, and a varint with a sign.
constexpr std::size_t exception_bits(unsigned bits) {
    return 8 + 8 * ((bits + 1 + 6) / 7);
}

// What all offsets are multiples of.
std::uint64_t common_divisor(std::span<const std::int64_t> values) {
    std::uint64_t divisor = 0;
    for (const std::int64_t value : values) {
        const std::int64_t difference = wrapping_sub(value, values.front());
        if (difference == std::numeric_limits<std::int64_t>::min()) {
            return 1;
        }
        divisor = std::gcd(divisor, static_cast<std::uint64_t>(std::abs(difference)));
        if (divisor == 1) {
            return 1;
        }
    }
    return std::max<std::uint64_t>(divisor, 1);
}

// The best width for one base, by how many offsets need how many bits.
PforFrame plan_with(std::span<const std::int64_t> values, std::int64_t base, std::uint64_t multiplier) {
    std::array<std::size_t, 65> by_bits{};
    std::size_t below_base = 0;  // In bits, of the values below the base: exceptions in any case.
    for (const std::int64_t value : values) {
        if (value < base) {
            below_base += exception_bits(static_cast<unsigned>(std::bit_width(offset_of(base, value) / multiplier)));
        } else {
            ++by_bits[static_cast<std::size_t>(std::bit_width(offset_of(value, base) / multiplier))];
        }
    }
    PforFrame best{base, multiplier, 0, std::numeric_limits<std::size_t>::max()};
    std::size_t patches = below_base;
    for (unsigned width = 65; width-- > 0;) {
        const std::size_t bits = values.size() * width + patches;
        if (bits < best.bits) {
            best.bits = bits;
            best.width = width;
        }
        patches += by_bits[width] * exception_bits(width);
    }
    return best;
}

}  // namespace

PforFrame guess_pfor(std::span<const std::int64_t> values) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    if (*least == *most) {
        return {*least, 1, 0, 0};
    }
    return plan_with(values, *least, 1);
}

PforFrame plan_pfor(std::span<const std::int64_t> values, PforFrame guess) {
    if (guess.bits == 0) {
        return guess;
    }
    const std::uint64_t multiplier = common_divisor(values);
    PforFrame best = multiplier == 1 ? guess : plan_with(values, guess.base, multiplier);
    // A few values far below the others (a counter's reset) would make all others wide: leave them out.
    constexpr std::size_t kFew = 32;
    if (values.size() >= kFew) {
        thread_local std::vector<std::int64_t> copy;
        copy.assign(values.begin(), values.end());
        const auto low = copy.begin() + static_cast<std::ptrdiff_t>(values.size() / kFew);
        std::nth_element(copy.begin(), low, copy.end());
        const PforFrame other = *low == guess.base ? best : plan_with(values, *low, multiplier);
        best = other.bits < best.bits ? other : best;
    }
    return best;
}

void pfor_encode(std::span<const std::int64_t> values, const PforFrame& frame, std::string& out) {
    BitWriter bits;
    std::string exceptions;
    std::size_t exception_count = 0;
    std::size_t previous = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const bool below = values[i] < frame.base;
        const std::uint64_t distance = below ? offset_of(frame.base, values[i]) : offset_of(values[i], frame.base);
        const std::uint64_t offset = frame.multiplier == 1 ? distance : distance / frame.multiplier;
        if (!below && inside(offset, frame.width)) {
            bits.write(offset, frame.width);
            continue;
        }
        bits.write(0, frame.width);
        put_varint(exceptions, i - previous);
        put_varint(exceptions, zigzag(static_cast<std::int64_t>(below ? std::uint64_t{0} - offset : offset)));
        previous = i;
        ++exception_count;
    }
    put_varint(out, zigzag(frame.base));
    if (frame.multiplier != 1) {
        put_varint(out, frame.multiplier);
    }
    out += static_cast<char>(frame.width);
    put_varint(out, exception_count);
    out += exceptions;
    out += bits.bytes();
}

bool PforReader::open(ByteReader& reader, std::size_t count, bool has_multiplier) {
    count_ = count;
    base_ = unzigzag(reader.varint());
    multiplier_ = has_multiplier ? reader.varint() : 1;
    width_ = reader.fixed<std::uint8_t>();
    exceptions_ = reader.varint();
    if (!reader.ok() || width_ > 64 || exceptions_ > count) {
        return false;
    }
    list_ = reader;
    std::uint64_t index = 0;
    for (std::uint64_t i = 0; i < exceptions_; ++i) {
        index += reader.varint();
        reader.varint();
        if (!reader.ok() || index >= count) {
            return false;
        }
    }
    packed_ = reader.rest().substr(0, (count * width_ + 7) / 8);
    reader.skip((count * width_ + 7) / 8);
    return reader.ok();
}

}  // namespace stoker::tsdb
