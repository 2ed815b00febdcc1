// Patched frame of reference: integers as a base plus a few bits each, and the ones that don't fit as exceptions.
//
// A regular scrape has differences of 15,000 ms give or take two, and once in a while a missed one: three bits a sample
// and a short list of exceptions, wherever the outliers lie. Layout: zigzag varint base, byte width, varint number of
// exceptions, each as varint gap of index and zigzag varint offset, then all offsets of `width` bits, zero where an
// exception stands, padded to a byte. With a multiplier (memory comes in pages), a varint behind the base, offsets are
// (value - base) / multiplier.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "tsdb/bits.h"
#include "tsdb/bytes.h"

namespace stoker::tsdb {

// How a list of integers is written down.
struct PforFrame {
    std::int64_t base = 0;
    std::uint64_t multiplier = 1;
    unsigned width = 0;
    std::size_t bits = 0;  // About what it takes in all.
};
// A quick look: good enough to choose between lists.
PforFrame guess_pfor(std::span<const std::int64_t> values);
// The best there is, and no worse than the guess.
PforFrame plan_pfor(std::span<const std::int64_t> values, PforFrame guess);

// Writes the multiplier only if it is not 1: the reader is to be told.
void pfor_encode(std::span<const std::int64_t> values, const PforFrame& frame, std::string& out);

// Reads a list back, one pass without a buffer.
class PforReader {
public:
    // Reads what stands before the bits, and moves `reader` behind them; false if malformed.
    bool open(ByteReader& reader, std::size_t count, bool has_multiplier);

    // True if all values are the same: that of base().
    bool constant() const { return width_ == 0 && exceptions_ == 0; }
    std::int64_t base() const { return base_; }

    // Gives all values in order. To be called once.
    template <typename Take>
    void each(Take take) {
        if (constant()) {
            for (std::size_t i = 0; i < count_; ++i) {
                take(base_);
            }
            return;
        }
        if (exceptions_ == 0 && multiplier_ == 1 && width_ <= kPeekBits) {
            each_plain(take);
            return;
        }
        BitReader bits(packed_);
        std::size_t next = next_exception();
        for (std::size_t i = 0; i < count_; ++i) {
            auto offset = static_cast<std::int64_t>(width_ <= kPeekBits ? bits.take(width_) : bits.read(width_));
            if (i == next) {
                offset = unzigzag(list_.varint());
                next = next_exception();
            }
            take(wrapping_add(base_, static_cast<std::int64_t>(static_cast<std::uint64_t>(offset) * multiplier_)));
        }
    }

private:
    template <typename Take>
    void each_plain(Take take) {
        const auto* data = reinterpret_cast<const std::uint8_t*>(packed_.data());
        const unsigned width = width_;  // Not 0: all would be the same.
        std::size_t i = 0;
        std::size_t at = 0;
        // As long as a whole word can be read, without asking each time.
        const std::size_t sure = packed_.size() < 8 ? 0 : (packed_.size() - 8) * 8 / width;
        for (const std::size_t end = std::min(sure, count_); i < end; ++i, at += width) {
            const std::uint64_t word = internal::load_big(data + at / 8) << (at % 8);
            take(wrapping_add(base_, static_cast<std::int64_t>(word >> (64 - width))));
        }
        BitReader bits(packed_.substr(at / 8));
        bits.skip(at % 8);
        for (; i < count_; ++i) {
            take(wrapping_add(base_, static_cast<std::int64_t>(bits.take(width))));
        }
    }

    // Its index; past the end if there is none left.
    std::size_t next_exception() {
        if (exceptions_ == 0) {
            return count_;
        }
        --exceptions_;
        return last_exception_ += list_.varint();
    }

    std::size_t count_ = 0;
    std::int64_t base_ = 0;
    std::uint64_t multiplier_ = 1;
    unsigned width_ = 0;
    std::uint64_t exceptions_ = 0;  // Not yet given.
    std::size_t last_exception_ = 0;
    ByteReader list_{{}};
    std::string_view packed_;
};

}  // namespace stoker::tsdb
