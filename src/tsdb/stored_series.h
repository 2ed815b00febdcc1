// A series as select() found it: what it had in memory then, and a view of the disk as it was then.
//
// Filled under the shard's lock, immutable afterwards, so that walks over it need no lock and outlive the store's
// changes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tsdb/archive.h"
#include "tsdb/disk.h"
#include "tsdb/querier.h"
#include "tsdb/shard.h"
#include "tsdb/tombstones.h"

namespace stoker::tsdb {

class StoredSeries final : public Series, public std::enable_shared_from_this<StoredSeries> {
public:
    StoredSeries(const MemSeries& series, std::int64_t start, std::int64_t end);
    StoredSeries(ArchivedSeries series, std::int64_t start, std::int64_t end);

    const Labels& labels() const override { return labels_; }
    std::unique_ptr<SampleIterator> samples() const override;
    std::unique_ptr<SampleIterator> samples_between(std::int64_t start, std::int64_t end) const override;

    SeriesId id() const { return id_; }
    // Of all its samples, in the range or not.
    std::int64_t first_time() const { return first_time_; }
    std::int64_t last_time() const { return last_time_; }

    // Whether the disk may have samples of the range; if so, set_view() is to be called before anyone walks.
    bool on_disk() const { return in_order_on_disk_ || late_on_disk_; }
    // Times that delete_series() took out; null if none.
    void hide(SharedIntervals hidden) { hidden_ = std::move(hidden); }
    const SharedIntervals& hidden() const { return hidden_; }
    void set_view(std::shared_ptr<const Disk::View> view) { view_ = std::move(view); }

    // Reads the chunks in order from disk already now, through `iterator`, which may be null and is left for the next
    // series; takes what they take from `budget`, and leaves them to the walk if that is too little or one can't be
    // read.
    void load(std::unique_ptr<rocksdb::Iterator>& iterator, std::size_t& budget);
    bool in_order_on_disk() const { return in_order_on_disk_; }

private:
    friend class StoredIterator;

    bool in_range(std::int64_t first, std::int64_t last) const { return first <= end_ && last >= start_; }
    void copy_extra(const SeriesExtra& extra);
    bool has_late() const { return late_on_disk_ || !late_chunks_.empty() || !late_.empty(); }

    const SeriesId id_;
    const Labels labels_;
    const std::int64_t start_;
    const std::int64_t end_;
    const std::int64_t first_time_;
    const std::int64_t last_time_;
    std::vector<std::shared_ptr<const std::string>> chunks_;       // In memory, in order of time.
    std::vector<std::shared_ptr<const std::string>> late_chunks_;  // In memory, in no order.
    SampleList late_;
    bool in_order_on_disk_ = false;
    bool late_on_disk_ = false;
    std::shared_ptr<const Disk::View> view_;
    SharedIntervals hidden_;
};

}  // namespace stoker::tsdb
