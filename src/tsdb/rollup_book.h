// How far rollups have come, and which of them their samples have left behind.
//
// A level is made day by day, within a day by id; its mark says how far. Whoever changes samples of a day that a mark
// has reached notes it, and maintain() makes that series' rollups of that day again; until then nobody uses them. A
// checkpoint writes marks and notes together, while the log still has all that came after: a crash loses none, and
// what is made twice is made the same. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/sync.h"
#include "tsdb/disk.h"

namespace stoker::tsdb {

// The days from `first` (the least integer until some are dropped) up to `day` are made, and of `day` the series with
// ids below `id`.
struct RollupMark {
    std::int64_t first = std::numeric_limits<std::int64_t>::min();
    std::int64_t day = std::numeric_limits<std::int64_t>::min();
    SeriesId id = 0;
    bool begun() const { return day != std::numeric_limits<std::int64_t>::min(); }
    friend bool operator==(const RollupMark&, const RollupMark&) = default;
};

// A series' rollups of a day that are to be made again.
struct StaleRollups {
    SeriesId id = 0;
    std::int64_t day = 0;
    std::uint64_t change = 0;  // The last that it knows of.
};

class RollupBook {
public:
    static constexpr std::size_t kMostNotes = 100'000;

    RollupMark mark(RollupLevel level) const;
    // Samples of days before this are noted from now on. To be called before anyone looks at that day's samples.
    void reach(std::int64_t day);
    // False, and nothing done, if the mark is no longer at `from`: notes have put it back.
    bool advance(RollupLevel level, const RollupMark& from, const RollupMark& to);

    // Days before this are about to be dropped.
    void drop_before(RollupLevel level, std::int64_t day);
    // Back to where nothing is made.
    void clear();

    // A sample of this time was added to the series, or taken out. REQUIRES: the shard's lock is held, so that nobody
    // looks at the series between the change and the note.
    void note(SeriesId id, std::int64_t time) {
        if (time < reached_.load(std::memory_order_relaxed)) {
            note_day(id, partition_of(time));
        }
    }
    // Past kMostNotes the marks go back to the day instead.
    void note_day(SeriesId id, std::int64_t day);
    // The day's samples can't all be read, and whose is not known.
    void note_unreadable(std::int64_t day);

    std::vector<StaleRollups> stale(std::size_t most) const;
    // Made again, unless it has changed since.
    void renewed(const StaleRollups& rollups);
    // Days whose samples are gone: nothing can be made of them.
    void forget_before(std::int64_t day);

    // Without a lock: mostly there are no notes.
    bool has_notes() const { return noted_.load(std::memory_order_acquire) != 0; }
    bool is_noted(SeriesId id, std::int64_t day) const;
    std::vector<std::int64_t> noted_days(SeriesId id) const;
    std::set<std::int64_t> unreadable_days() const;

    std::string encode() const;
    // Errors: Corruption, and nothing changes.
    Result<Unit> decode(std::string_view bytes);

private:
    using Key = std::pair<SeriesId, std::int64_t>;

    static std::size_t index_of(RollupLevel level) { return level == RollupLevel::Hours ? 0 : 1; }
    void set_reached() REQUIRES_LOCK(mutex_);

    mutable Mutex mutex_;
    std::array<RollupMark, kRollupLevels.size()> marks_ GUARDED_BY(mutex_);
    std::int64_t reached_day_ GUARDED_BY(mutex_) = std::numeric_limits<std::int64_t>::min();
    std::map<Key, std::uint64_t> notes_ GUARDED_BY(mutex_);  // With the number of the last change.
    std::set<std::int64_t> unreadable_ GUARDED_BY(mutex_);
    std::uint64_t changes_ GUARDED_BY(mutex_) = 0;
    std::atomic<std::size_t> noted_{0};
    std::atomic<std::int64_t> reached_{std::numeric_limits<std::int64_t>::min()};  // The time; for note().
};

}  // namespace stoker::tsdb
