#include "tsdb/pfor.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "tsdb/bits.h"

namespace stoker::tsdb {

namespace {

struct Frame {
    std::int64_t base = 0;
    unsigned width = 0;
};

std::uint64_t offset_of(std::int64_t value, std::int64_t base) {
    return static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(base);
}

bool inside(std::uint64_t offset, unsigned width) {
    return width == 64 || offset < (std::uint64_t{1} << width);
}

// What an exception costs in bits beyond its zero in the packed part, as seen from the values at hand.
std::size_t exception_bits(const std::vector<std::int64_t>& sorted) {
    const auto span = static_cast<std::size_t>(std::bit_width(offset_of(sorted.back(), sorted.front())));
    return 8 + 8 * ((span + 1 + 6) / 7);
}

// The frame with the fewest bits in all: for each width the window over the sorted values that covers most of them.
Frame best_frame(std::span<const std::int64_t> values) {
    std::vector<std::int64_t> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    const auto full = static_cast<unsigned>(std::bit_width(offset_of(sorted.back(), sorted.front())));
    const std::size_t patch = exception_bits(sorted);
    Frame best{sorted.front(), full};
    std::size_t best_bits = sorted.size() * full;
    for (unsigned width = 0; width < full; ++width) {
        std::size_t covered = 0;
        std::size_t low = 0;
        std::int64_t base = sorted.front();
        for (std::size_t high = 0; high < sorted.size(); ++high) {
            while (!inside(offset_of(sorted[high], sorted[low]), width)) {
                ++low;
            }
            if (high - low + 1 > covered) {
                covered = high - low + 1;
                base = sorted[low];
            }
        }
        const std::size_t bits = sorted.size() * width + (sorted.size() - covered) * patch;
        if (bits < best_bits) {
            best_bits = bits;
            best = {base, width};
        }
    }
    return best;
}

}  // namespace

void pfor_encode(std::span<const std::int64_t> values, std::string& out) {
    const Frame frame = best_frame(values);
    BitWriter bits;
    std::string exceptions;
    std::size_t exception_count = 0;
    std::size_t previous = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint64_t offset = offset_of(values[i], frame.base);
        if (inside(offset, frame.width)) {
            bits.write(offset, frame.width);
            continue;
        }
        bits.write(0, frame.width);
        put_varint(exceptions, i - previous);
        put_varint(exceptions, zigzag(static_cast<std::int64_t>(offset)));
        previous = i;
        ++exception_count;
    }
    put_varint(out, zigzag(frame.base));
    out += static_cast<char>(frame.width);
    put_varint(out, exception_count);
    out += exceptions;
    out += bits.bytes();
}

bool pfor_decode(ByteReader& reader, std::size_t count, std::vector<std::int64_t>& values) {
    const std::int64_t base = unzigzag(reader.varint());
    const unsigned width = reader.fixed<std::uint8_t>();
    const std::uint64_t exception_count = reader.varint();
    if (!reader.ok() || width > 64 || exception_count > count) {
        return false;
    }
    values.assign(count, base);
    std::vector<std::pair<std::size_t, std::int64_t>> exceptions;
    std::uint64_t index = 0;
    for (std::uint64_t i = 0; i < exception_count; ++i) {
        index += reader.varint();
        const std::int64_t offset = unzigzag(reader.varint());
        if (!reader.ok() || index >= count) {
            return false;
        }
        exceptions.emplace_back(index, wrapping_add(base, offset));
    }
    if (width > 0) {
        BitReader bits(reader.rest());
        for (std::int64_t& value : values) {
            value = wrapping_add(base, static_cast<std::int64_t>(bits.read(width)));
        }
        if (!bits.ok()) {
            return false;
        }
        reader.skip((count * width + 7) / 8);
    }
    for (const auto& [at, value] : exceptions) {
        values[at] = value;
    }
    return reader.ok();
}

}  // namespace stoker::tsdb
