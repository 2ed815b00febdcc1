#include "tsdb/codec_xor.h"

#include <algorithm>
#include <array>
#include <bit>

#include "tsdb/bytes.h"

namespace stoker::tsdb {

namespace {

struct TimeBucket {
    unsigned prefix;
    unsigned prefix_bits;
    unsigned value_bits;
};
constexpr std::array<TimeBucket, 4> kBuckets{{{0b10, 2, 7}, {0b110, 3, 11}, {0b1110, 4, 16}, {0b1111, 4, 64}}};

bool fits(std::int64_t value, unsigned bits) {
    if (bits == 64) {
        return true;
    }
    const std::int64_t bound = std::int64_t{1} << (bits - 1);
    return value >= -bound && value < bound;
}

std::int64_t sign_extend(std::uint64_t value, unsigned bits) {
    const unsigned shift = 64 - bits;
    return static_cast<std::int64_t>(value << shift) >> shift;
}

std::int64_t read_time(BitReader& bits) {
    const std::uint64_t word = bits.peek();
    const auto bucket = static_cast<std::size_t>(std::min(std::countl_one(word), 4));
    if (bucket == 0) {
        bits.skip(1);
        return 0;
    }
    const TimeBucket& kind = kBuckets[bucket - 1];
    bits.skip(kind.prefix_bits);
    return sign_extend(kind.value_bits == 64 ? bits.read(64) : bits.take(kind.value_bits), kind.value_bits);
}

// The window of meaningful bits that a value may reuse from the one before.
struct Window {
    unsigned leading = 0;
    unsigned meaningful = 0;
};

// The XOR with the value before; false if the bits make no sense.
bool read_value(BitReader& bits, Window& window, std::uint64_t& difference) {
    const std::uint64_t word = bits.peek();
    if (word >> 63 == 0) {
        bits.skip(1);
        difference = 0;
        return true;
    }
    if (word >> 62 == 0b11) {
        window.leading = static_cast<unsigned>(word >> 57 & 31);
        window.meaningful = static_cast<unsigned>(word >> 51 & 63) + 1;
        bits.skip(13);
    } else {
        bits.skip(2);
    }
    if (window.meaningful == 0 || window.leading + window.meaningful > 64) {
        return false;
    }
    const std::uint64_t meaningful =
        window.meaningful <= kPeekBits ? bits.take(window.meaningful) : bits.read(window.meaningful);
    difference = meaningful << (64 - window.leading - window.meaningful);
    return true;
}

}  // namespace

void write_xor_time(BitWriter& bits, std::int64_t difference) {
    if (difference == 0) {
        bits.write(0, 1);
        return;
    }
    for (const TimeBucket& bucket : kBuckets) {
        if (fits(difference, bucket.value_bits)) {
            bits.write(bucket.prefix, bucket.prefix_bits);
            bits.write(static_cast<std::uint64_t>(difference), bucket.value_bits);
            return;
        }
    }
}

bool XorCodec::encode(std::span<const Sample> samples, std::string& out) const {
    OpenChunk chunk;
    for (const Sample& sample : samples) {
        chunk.append(sample);
    }
    out += chunk.payload();
    return true;
}

bool XorCodec::decode(std::string_view payload, std::size_t count, std::vector<Sample>& out) const {
    BitReader bits(payload);
    auto time = static_cast<std::int64_t>(bits.read(64));
    std::uint64_t value = bits.read(64);
    // Two bits a sample is the least there can be: a count beyond that is damage.
    if (!bits.ok() || count > payload.size() * 4) {
        return false;
    }
    const std::size_t start = out.size();
    out.resize(start + count);
    Sample* at = out.data() + start;
    Sample* const end = at + count;
    *at++ = {time, std::bit_cast<double>(value)};
    std::int64_t delta = 0;
    Window window;
    while (at != end) {
        // Samples on time with the value of before are two zeros each: all that can be seen at once.
        const auto zeros = static_cast<std::ptrdiff_t>(std::countl_zero(bits.peek() | 1U << 6)) / 2;
        if (const std::ptrdiff_t run = std::min(zeros, end - at); run > 0) {
            for (Sample* const upto = at + run; at != upto; ++at) {
                time = wrapping_add(time, delta);
                *at = {time, std::bit_cast<double>(value)};
            }
            bits.skip(static_cast<unsigned>(2 * run));
            continue;
        }
        delta = wrapping_add(delta, read_time(bits));
        time = wrapping_add(time, delta);
        std::uint64_t difference = 0;
        if (!read_value(bits, window, difference)) {
            return false;
        }
        value ^= difference;
        *at++ = {time, std::bit_cast<double>(value)};
    }
    return bits.ok();
}

}  // namespace stoker::tsdb
