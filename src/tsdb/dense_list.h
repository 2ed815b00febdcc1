// A list of integers in about as many bits as it has information: what the dense encoding of chunks is made of.
//
// The list is differenced `order` times (0 to 2). What is left is a base plus an offset in [0, range), times a
// multiplier (memory comes in pages). Offsets are written in truncated binary: 1,500 different ones take 10.64 bits on
// average, not 11. To decode without a chain of lengths, the bits lie in two planes: the first has the same number for
// every element, the second the extra bit of those that need one. The few elements outside the range are exceptions:
// their distances from each other in Rice's code (Rice and Plaunt, 1971), their offsets in truncated binary again, so
// that a gauge that rarely moves (range 1: the first plane is empty) takes less than a bit a sample. Layout byte by
// byte: docs/format/tsdb.md.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tsdb/bits.h"
#include "tsdb/bytes.h"

namespace stoker::tsdb {

inline constexpr unsigned kDenseTagBits = 4;

// Appends the list; `tag` (below 16) goes into the free bits of its first byte. False, and `out` unchanged, if its
// numbers lie too far apart. Uses up `values`. REQUIRES: not empty, at most 65,535.
bool encode_dense(std::vector<std::int64_t>& values, unsigned tag, std::string& out);

// Truncated binary for [0, range): `short_bits` for codes below `split`, one more from there on.
struct TruncatedBinary {
    explicit TruncatedBinary(std::uint64_t range)
        : short_bits(static_cast<unsigned>(std::bit_width(range)) - 1),
          split((std::uint64_t{2} << short_bits) - range) {}

    bool has_extra(std::uint64_t value) const { return value >= split; }
    std::uint64_t prefix(std::uint64_t value) const {
        return has_extra(value) ? split + ((value - split) >> 1) : value;
    }
    std::uint64_t extra(std::uint64_t value) const { return (value - split) & 1; }
    // The value again. REQUIRES: has_extra(prefix).
    std::uint64_t join(std::uint64_t prefix, std::uint64_t extra_bit) const { return 2 * prefix - split + extra_bit; }

    unsigned short_bits;
    std::uint64_t split;
};

// Reads a list back, in one pass.
class DenseReader {
public:
    // Reads what stands before the planes; false if malformed. REQUIRES: count is at most 65,535.
    bool open(ByteReader& reader, std::size_t count);
    unsigned tag() const { return tag_; }

    // Gives all integers in order to take(index, value), and moves `reader` behind the list; false if malformed, after
    // any number of calls. To be called once, with open()'s reader.
    template <typename Take>
    bool each(ByteReader& reader, Take take) {
        switch (order_) {
            case 0:
                return each_element(reader, take);
            case 1: {
                std::int64_t value = first_[0];
                take(std::size_t{0}, value);
                return each_element(reader, [&](std::size_t i, std::int64_t delta) {
                    take(i + 1, value = wrapping_add(value, delta));
                });
            }
            default: {
                std::int64_t value = first_[0];
                std::int64_t delta = first_[1];
                take(std::size_t{0}, value);
                take(std::size_t{1}, value = wrapping_add(value, delta));
                return each_element(reader, [&](std::size_t i, std::int64_t change) {
                    delta = wrapping_add(delta, change);
                    take(i + 2, value = wrapping_add(value, delta));
                });
            }
        }
    }

private:
    static constexpr std::size_t kMostExtra = 8192;  // Bytes: a bit for each of 65,535.
    static constexpr std::size_t kAtOnce = 32;       // Of a word of extra bits 57 are sure.

    template <typename Take>
    bool each_element(ByteReader& reader, Take take) {
        if (range_ == 1) {
            const std::int64_t base = base_;
            for (std::size_t i = 0; i < count_; ++i) {
                for (const std::size_t next = next_; i < next; ++i) {
                    take(i, base);
                }
                if (i < count_) {
                    take(i, exception_);
                    next_exception();
                }
            }
            return sound_;
        }
        const bool extras = TruncatedBinary(range_).split < range_;
        if (next_ == count_) {
            return extras ? each_in_planes<true, false>(reader, take) : each_in_planes<false, false>(reader, take);
        }
        return extras ? each_in_planes<true, true>(reader, take) : each_in_planes<false, true>(reader, take);
    }

    template <bool has_extras, bool has_exceptions, typename Take>
    bool each_in_planes(ByteReader& reader, Take take) {
        const TruncatedBinary code(range_);
        const unsigned width = code.short_bits;
        const std::size_t count = count_;
        const std::string_view prefixes = reader.rest().substr(0, (count * width + 7) / 8);
        reader.skip((count * width + 7) / 8);
        if (!reader.ok()) {
            return false;
        }
        // A copy with a bit for every element, and a word beyond: reading needs no look at the end.
        std::array<std::uint8_t, kMostExtra + sizeof(std::uint64_t)> extras;
        const std::size_t extra_bytes = has_extras ? std::min(reader.rest().size(), (count + 7) / 8) : 0;
        if (has_extras) {
            std::memcpy(extras.data(), reader.rest().data(), extra_bytes);
            std::memset(extras.data() + extra_bytes, 0, (count + 7) / 8 - extra_bytes + sizeof(std::uint64_t));
        }
        std::size_t extra_at = 0;
        std::uint64_t extra_word = 0;
        const auto base = static_cast<std::uint64_t>(base_);
        const std::uint64_t multiplier = multiplier_;
        const auto give = [&](std::size_t i, std::uint64_t offset) {
            if (has_extras) {
                const bool extra = code.has_extra(offset);
                offset = extra ? code.join(offset, extra_word >> 63) : offset;
                extra_word <<= static_cast<unsigned>(extra);
                extra_at += static_cast<std::size_t>(extra);
            }
            auto value = static_cast<std::int64_t>(base + offset * multiplier);
            if (has_exceptions && i == next_) {
                value = exception_;
                next_exception();
            }
            take(i, value);
        };
        const auto* data = reinterpret_cast<const std::uint8_t*>(prefixes.data());
        for (std::size_t i = 0; i < count;) {
            if (has_extras) {
                extra_word = internal::load_big(extras.data() + extra_at / 8) << (extra_at % 8);
            }
            // As many as can't use up the word; as long as whole words of the prefixes can be read, without asking.
            const std::size_t end = std::min(i + kAtOnce, count);
            std::size_t at = i * width;
            if ((end * width) / 8 + sizeof(std::uint64_t) <= prefixes.size()) {
                for (; i < end; ++i, at += width) {
                    give(i, (internal::load_big(data + at / 8) << (at % 8)) >> (64 - width));
                }
            } else {
                BitReader bits(prefixes.substr(at / 8));
                bits.skip(static_cast<unsigned>(at % 8));
                for (; i < end; ++i) {
                    give(i, bits.take(width));
                }
            }
        }
        reader.skip((extra_at + 7) / 8);
        return sound_ && reader.ok();
    }

    bool open_exceptions(ByteReader& reader);
    // Moves next_ and exception_ on; next_ is count_ after the last.
    void next_exception();

    std::size_t count_ = 0;  // Of elements: without the first ones.
    unsigned tag_ = 0;
    unsigned order_ = 0;
    std::array<std::int64_t, 2> first_{};
    std::int64_t base_ = 0;
    std::uint64_t multiplier_ = 1;
    std::uint64_t range_ = 1;

    std::size_t next_ = 0;  // Index of the next exception.
    std::int64_t exception_ = 0;
    std::uint64_t exceptions_left_ = 0;  // Behind that one.
    std::size_t place_ = 0;              // Behind the last one's.
    unsigned rice_ = 0;
    std::uint64_t least_ = 0;
    TruncatedBinary exception_code_{1};
    BitReader exception_bits_{{}};
    bool sound_ = true;
};

}  // namespace stoker::tsdb
