// Numbers in few bits: times and decimal-scaled values as dense lists (tsdb/dense_list.h).
//
// Times come first: chunks of one target have the same ones, and together with the end of their keys they are one long
// repetition for the compression of RocksDB's blocks.
#pragma once

#include "tsdb/chunk.h"

namespace stoker::tsdb {

class DenseCodec : public ChunkCodec {
public:
    Encoding encoding() const override { return Encoding::Dense; }
    bool encode(std::span<const Sample> samples, std::string& out) const override;
    bool decode(std::string_view payload, std::size_t count, std::vector<Sample>& out) const override;
};

}  // namespace stoker::tsdb
