// What the log's frames carry: new series, and samples by series id. Format: docs/format/tsdb.md.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tsdb/index.h"
#include "tsdb/records.h"

namespace stoker::tsdb {

// Collects what one batch adds to one shard.
class EntryWriter {
public:
    void add_series(SeriesId id, std::span<const LabelRef> labels);
    void add_sample(SeriesId id, Sample sample);

    bool empty() const { return series_.empty() && count_ == 0; }
    // Series first, so that their samples find them. Valid until clear().
    std::string_view finish();
    void clear();

private:
    std::string series_;
    std::string samples_;
    std::uint64_t count_ = 0;
    SeriesId last_id_ = 0;
    std::int64_t last_time_ = 0;
};

struct EntryVisitor {
    std::function<void(SeriesId, Labels)> on_series;
    std::function<void(SeriesId, Sample)> on_sample;
    // Everything else (records.h); false if it is malformed. Empty: passed over.
    std::function<bool(RecordKind, std::string_view body)> on_record = {};
};

// False if the bytes are not entries; what was read before was visited.
bool read_entries(std::string_view bytes, const EntryVisitor& visitor);

}  // namespace stoker::tsdb
