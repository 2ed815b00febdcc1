// Patched frame of reference: integers as a base plus a few bits each, and the ones that don't fit as exceptions.
//
// A regular scrape has differences of 15,000 ms give or take two, and once in a while a missed one: three bits a sample
// and a short list of exceptions, wherever the outliers lie. Layout: zigzag varint base, byte width, varint number of
// exceptions, each as varint gap of index and zigzag varint (value - base), then all values of `width` bits, zero where
// an exception stands, padded to a byte.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tsdb/bytes.h"

namespace stoker::tsdb {

void pfor_encode(std::span<const std::int64_t> values, std::string& out);

// Reads exactly `count` values and advances `reader`; false if malformed.
bool pfor_decode(ByteReader& reader, std::size_t count, std::vector<std::int64_t>& values);

}  // namespace stoker::tsdb
