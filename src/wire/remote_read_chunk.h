// Prometheus' XOR chunk: the encoding that remote read streams, by Gorilla's scheme (Pelkonen et al., VLDB 2015).
//
// Two bytes of count, then bits: times as differences of differences in one of five widths, values as the XOR with the
// one before, of which only the bits that differ are written.
#pragma once

#include <cstdint>
#include <string>

namespace stoker::wire {

class XorChunk {
public:
    static constexpr std::size_t kMaxSamples = 120;  // As Prometheus' own chunks have; the count could say 65535.

    XorChunk();

    // REQUIRES: count() < 65535; `time` is later than that of the append before.
    void append(std::int64_t time, double value);

    std::size_t count() const { return count_; }
    std::int64_t min_time() const { return min_time_; }
    std::int64_t max_time() const { return time_; }

    // The chunk's bytes; the chunk is empty then, to be filled anew.
    std::string take();

private:
    void write_bits(std::uint64_t bits, int width);  // The lowest `width` of them, the highest first.
    void write_byte(std::uint8_t byte) { write_bits(byte, 8); }
    void write_unsigned(std::uint64_t number);  // A varint.
    void write_time(std::int64_t change);
    void write_value(double value);

    std::string bytes_;
    int free_bits_ = 0;  // Of the last byte.
    std::size_t count_ = 0;
    std::int64_t min_time_ = 0;
    std::int64_t time_ = 0;
    std::int64_t step_ = 0;  // Between the last two samples.
    std::uint64_t value_ = 0;
    int leading_ = kNoWindow;  // Zero bits before and behind the window that the last XOR was written in.
    int trailing_ = 0;

    static constexpr int kNoWindow = 0xff;
};

}  // namespace stoker::wire
