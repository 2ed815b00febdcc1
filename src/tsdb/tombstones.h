// What delete_series() has hidden: for each series the times whose samples are no longer shown. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/sync.h"
#include "tsdb/index.h"
#include "tsdb/querier.h"

namespace stoker::tsdb {

// Both ends are in it.
struct TimeInterval {
    std::int64_t start = 0;
    std::int64_t end = 0;
    friend bool operator==(const TimeInterval&, const TimeInterval&) = default;
};

// Ascending, with gaps between them.
using TimeIntervals = std::vector<TimeInterval>;
using SharedIntervals = std::shared_ptr<const TimeIntervals>;

// Joins what touches. REQUIRES: added.start <= added.end.
void add_interval(TimeIntervals& intervals, TimeInterval added);
bool contains(const TimeIntervals& intervals, std::int64_t time);
// Whether all times of the range are in.
bool covers(const TimeIntervals& intervals, TimeInterval range);
bool overlaps(const TimeIntervals& intervals, TimeInterval range);

std::string encode_intervals(const TimeIntervals& intervals);
// Errors: Corruption.
Result<TimeIntervals> decode_intervals(std::string_view bytes);

class Tombstones {
public:
    void add(SeriesId id, TimeInterval interval);
    void add_all(SeriesId id, const TimeIntervals& intervals);
    // Null if the series has none.
    SharedIntervals of(SeriesId id) const;
    bool covers(SeriesId id, TimeInterval range) const;
    void remove(SeriesId id);
    // Unless more have come since of() gave these.
    void remove_those(SeriesId id, const SharedIntervals& intervals);
    // Drops intervals that end before `time`.
    void drop_before(std::int64_t time);

    // Without a lock: most stores have none.
    bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
    std::vector<SeriesId> ids() const;
    // Series whose intervals changed since the last call; of() tells what they are now.
    std::vector<SeriesId> take_changed();

private:
    mutable Mutex mutex_;
    std::atomic<std::size_t> count_{0};
    std::unordered_map<SeriesId, SharedIntervals> intervals_ GUARDED_BY(mutex_);
    std::set<SeriesId> changed_ GUARDED_BY(mutex_);
};

// The samples of `all` outside the intervals.
std::unique_ptr<SampleIterator> without(std::unique_ptr<SampleIterator> all, SharedIntervals hidden);

}  // namespace stoker::tsdb
