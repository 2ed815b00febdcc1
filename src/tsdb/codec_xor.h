// Gorilla's encoding. The first sample stands in full (64 bits time, 64 bits value); then for each sample
//
//   time:  the difference of differences d as   0 (d = 0) | 10 + 7 bits | 110 + 11 bits | 1110 + 16 bits | 1111 + 64
//   bits,
//          two's complement;
//   value: the XOR x with the value before as   0 (x = 0) | 10 + bits in the window of before |
//          11 + 5 bits leading zeros + 6 bits (length - 1) + the meaningful bits.
#pragma once

#include <cstdint>

#include "tsdb/chunk.h"

namespace stoker::tsdb {

void write_xor_time(BitWriter& bits, std::int64_t difference);

class XorCodec : public ChunkCodec {
public:
    Encoding encoding() const override { return Encoding::Xor; }
    bool encode(std::span<const Sample> samples, std::string& out) const override;
    bool decode(std::string_view payload, std::size_t count, std::vector<Sample>& out) const override;
};

}  // namespace stoker::tsdb
