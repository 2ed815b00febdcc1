// A series as select() found it: what it had in memory then, and a view of the disk as it was then.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tsdb/archive.h"
#include "tsdb/disk.h"
#include "tsdb/querier.h"
#include "tsdb/shard.h"
#include "tsdb/tombstones.h"

namespace stoker::tsdb {

class Selection;

class StoredSeries final : public Series {
public:
    // REQUIRES: the selection outlives it.
    StoredSeries(const MemSeries& series, Selection& owner);
    StoredSeries(ArchivedSeries series, Selection& owner);
    ~StoredSeries() override { delete labels_.load(std::memory_order_relaxed); }

    const Labels& labels() const override;
    std::span<const LabelRef> label_refs() const override { return refs_; }
    Labels copy_labels() const override { return to_labels(refs_); }
    std::string_view metric() const override;
    std::unique_ptr<SampleIterator> samples() const override { return walk(nullptr); }
    std::unique_ptr<SampleIterator> walk(std::unique_ptr<SampleIterator> over) const override;
    std::unique_ptr<SampleIterator> samples_between(std::int64_t start, std::int64_t end) const override;

    SeriesId id() const { return id_; }
    // Of all its samples, in the range or not.
    std::int64_t first_time() const { return first_time_; }
    std::int64_t last_time() const { return last_time_; }

    // Whether the disk may have samples of the range; if so, the selection needs a view before anyone walks.
    bool on_disk() const { return in_order_on_disk_ || (late_ != nullptr && late_->on_disk); }
    bool in_order_on_disk() const { return in_order_on_disk_; }
    // Times that delete_series() took out; null if none.
    void hide(SharedIntervals hidden) { hidden_ = std::move(hidden); }
    const SharedIntervals& hidden() const { return hidden_; }

    // Reads the chunks in order from disk already now, through `iterator`, which may be null and is left for the next
    // series; takes what they take from `budget`, and leaves them to the walk if that is too little or one can't be
    // read.
    void load(std::unique_ptr<rocksdb::Iterator>& iterator, std::size_t& budget);

private:
    friend class StoredIterator;

    // Samples out of order, which few series have.
    struct Late {
        std::vector<std::string_view> chunks;  // In memory, in no order.
        SampleList list;
        bool on_disk = false;
    };

    std::unique_ptr<SampleIterator> walk(std::unique_ptr<SampleIterator> over, std::int64_t start,
                                         std::int64_t end) const;
    bool in_range(std::int64_t first, std::int64_t last) const;
    void copy_extra(const SeriesExtra& extra);

    Selection& owner_;
    const SeriesId id_;
    const std::int64_t first_time_;
    const std::int64_t last_time_;
    std::span<const LabelRef> refs_;
    mutable std::atomic<const Labels*> labels_{nullptr};  // Made when first asked for.
    std::vector<std::string_view> chunks_;                // In memory, in order of time.
    std::string_view open_;                               // The one after them, or nothing.
    std::unique_ptr<Late> late_;
    bool in_order_on_disk_ = false;
    SharedIntervals hidden_;
};

}  // namespace stoker::tsdb
