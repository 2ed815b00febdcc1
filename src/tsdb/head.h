// What a series looks like at rest: its state at a checkpoint. Format: docs/format/tsdb.md.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tsdb/chunk.h"
#include "tsdb/histogram_chunk.h"
#include "tsdb/late.h"

namespace stoker::tsdb {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

// What few series have: histograms, and samples out of order.
struct SeriesExtra {
    OpenHistograms histograms;  // Not empty: it is the chunk being appended to, and `open` is empty.
    SampleList late;
    std::int64_t late_disk_time = kNever;  // Of the newest late sample in a sealed chunk.
    std::vector<SealedChunk> late_sealed;  // On their way to disk; not part of the record.
};

struct HeadRecord {
    std::int64_t first_time = 0;  // Of the oldest sample.
    std::int64_t disk_time = 0;   // Newest sample that lies in a sealed chunk on disk.
    OpenChunk open;
    std::unique_ptr<SeriesExtra> extra;
};

// `extra` may be null.
std::string encode_head(std::int64_t first_time, std::int64_t disk_time, const OpenChunk& open,
                        const SeriesExtra* extra);
// Errors: Corruption.
Result<HeadRecord> decode_head(std::string_view bytes);

}  // namespace stoker::tsdb
