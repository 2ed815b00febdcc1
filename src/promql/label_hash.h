// The hash of labels by which limit_ratio chooses, so that the same series are chosen everywhere: XXH64 over the
// labels, each string behind its length.
#pragma once

#include <cstdint>
#include <string_view>

#include "tsdb/labels.h"

namespace stoker::promql {

// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, seed 0.
std::uint64_t xxh64(std::string_view bytes);

std::uint64_t label_hash(const tsdb::Labels& labels);

}  // namespace stoker::promql
