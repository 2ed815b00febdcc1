// Times and values as packed integers: read for what is on disk; new chunks are dense (tsdb/codec_dense.h).
//
// Most metrics are not arbitrary doubles: counts, bytes, and numbers that someone printed with a few digits (0.37).
// When every value is exactly integer / 10^k for one small k, the integers, or their differences, or the differences of
// those, pack into a few bits each. Exactness is checked bit for bit; chunks with other values (NaN, infinities, -0,
// sums of measured seconds) take another encoding. Layout: docs/format/tsdb.md.
#pragma once

#include "tsdb/chunk.h"

namespace stoker::tsdb {

class PackedCodec : public ChunkCodec {
public:
    Encoding encoding() const override { return Encoding::Packed; }
    bool encode(std::span<const Sample> samples, std::string& out) const override;
    bool decode(std::string_view payload, std::size_t count, std::vector<Sample>& out) const override;
};

}  // namespace stoker::tsdb
