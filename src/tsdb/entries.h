// What the log's frames carry: new series, and samples by series id. Format: docs/format/tsdb.md.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tsdb/index.h"
#include "tsdb/records.h"

namespace stoker::tsdb {

// How a sample came: newer than all of its series, or behind the newest. Replay passes over what a checkpoint has by
// the newest time alone in the first case, and has to look in the second.
enum class Arrival : std::uint8_t { InOrder, Late };

// Collects what one batch adds to one shard.
class EntryWriter {
public:
    void add_series(SeriesId id, std::span<const LabelRef> labels);
    // `histogram` is null for a number.
    void add_sample(SeriesId id, Sample sample, const HistogramPtr& histogram, Arrival arrival);

    bool empty() const;
    // Series first, so that their samples find them. Valid until clear().
    std::string_view finish();
    void clear();

private:
    // Samples of one sort, each written as differences from the one before.
    struct Section {
        std::string bytes;
        std::uint64_t count = 0;
        SeriesId last_id = 0;
        std::int64_t last_time = 0;
    };

    std::string series_;
    std::array<Section, 4> sections_;  // Numbers and histograms, in order and late.
};

struct EntryVisitor {
    std::function<void(SeriesId, Labels)> on_series;
    std::function<void(SeriesId, Sample, const HistogramPtr&, Arrival)> on_sample;
    // Everything else (records.h); false if it is malformed. Empty: passed over.
    std::function<bool(RecordKind, std::string_view body)> on_record = {};
};

// False if the bytes are not entries; what was read before was visited.
bool read_entries(std::string_view bytes, const EntryVisitor& visitor);

}  // namespace stoker::tsdb
