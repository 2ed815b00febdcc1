#include "tsdb/codec_xor.h"

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
    if (!bits.bit()) {
        return 0;
    }
    std::size_t bucket = 0;
    while (bucket + 1 < kBuckets.size() && bits.bit()) {
        ++bucket;
    }
    return sign_extend(bits.read(kBuckets[bucket].value_bits), kBuckets[bucket].value_bits);
}

// The window of meaningful bits that a value may reuse from the one before.
struct Window {
    unsigned leading = 0;
    unsigned meaningful = 0;
};

// The XOR with the value before; false if the bits make no sense.
bool read_value(BitReader& bits, Window& window, std::uint64_t& difference) {
    difference = 0;
    if (!bits.bit()) {
        return true;
    }
    if (bits.bit()) {
        window.leading = static_cast<unsigned>(bits.read(5));
        window.meaningful = static_cast<unsigned>(bits.read(6)) + 1;
    }
    if (window.meaningful == 0 || window.leading + window.meaningful > 64) {
        return false;
    }
    difference = bits.read(window.meaningful) << (64 - window.leading - window.meaningful);
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
    out.push_back({time, std::bit_cast<double>(value)});
    std::int64_t delta = 0;
    Window window;
    for (std::size_t i = 1; i < count && bits.ok(); ++i) {
        delta = wrapping_add(delta, read_time(bits));
        time = wrapping_add(time, delta);
        std::uint64_t difference = 0;
        if (!read_value(bits, window, difference)) {
            return false;
        }
        value ^= difference;
        out.push_back({time, std::bit_cast<double>(value)});
    }
    return bits.ok();
}

}  // namespace stoker::tsdb
