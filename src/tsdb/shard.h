// A sixteenth of the head: the series whose hash falls here, each with its open chunk and what is sealed but not yet on
// disk.
//
// An id is number * 16 + shard, with numbers counted over all shards and never used twice: ids grow with creation, and
// new ones go to the end of the index's lists. Everything in a Shard is guarded by its mutex; the structs below have no
// locks of their own.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/sync.h"
#include "tsdb/chunk.h"
#include "tsdb/head.h"
#include "tsdb/index.h"
#include "tsdb/pointer_map.h"
#include "tsdb/store.h"

namespace stoker::tsdb {

inline constexpr std::size_t kShards = 16;  // Part of the format: ids carry it.

constexpr std::size_t shard_of_hash(std::uint64_t hash) {
    return hash % kShards;
}
constexpr std::size_t shard_of_id(SeriesId id) {
    return id % kShards;
}
constexpr std::size_t shard_of_ref(SeriesRef ref) {
    return ref % kShards;
}

enum class Verdict : std::uint8_t {
    Accepted,
    Duplicate,
    Conflict,  // The newest sample has this time and another value.
    Behind,    // Not newer than the newest sample: whether it is known has yet to be found out.
};

struct MemSeries {
    SeriesId id = 0;
    std::uint64_t hash = 0;
    MemSeries* same_hash = nullptr;  // The next in the shard with this very hash.
    std::unique_ptr<LabelRef[]> label_refs;
    std::uint32_t label_count = 0;
    std::uint32_t slot = 0;            // Where its shard keeps it.
    bool changed = false;              // Since the last checkpoint.
    bool defined = false;              // Its labels are on disk.
    std::uint8_t quiet = 0;            // Checkpoints in a row that found nothing new in it.
    std::int64_t first_time = kNever;  // Of its oldest sample; kNever: it has none yet.
    std::int64_t disk_time = kNever;   // Of its newest sample in a chunk on disk.
    OpenChunk open;
    std::vector<SealedChunk> sealed;  // On their way to disk, oldest first.
    std::unique_ptr<SeriesExtra> extra;

    // Where it is and, in the upper half, which it is: a slot is used again, a ref to its former series must not find
    // it.
    SeriesRef ref() const { return (id / kShards) << 32 | std::uint64_t{slot} * kShards | shard_of_id(id); }
    std::span<const LabelRef> labels() const { return {label_refs.get(), label_count}; }
    bool has_samples() const { return first_time != kNever; }
    std::int64_t last_time() const { return has_samples() ? open.max_time() : kNever; }

    // `histogram` is null for a number; otherwise sample.value is its marker.
    Verdict append(Sample sample, const HistogramPtr& histogram);
    // A sample that is known to be missing. REQUIRES: append() said Behind.
    void append_late(Sample sample, HistogramPtr histogram);
    // Moves the open chunk to the sealed ones.
    void seal();
    // Moves the late samples to the sealed chunks of their own.
    void seal_late();
    bool has_sealed() const { return !sealed.empty() || (extra != nullptr && !extra->late_sealed.empty()); }
    // Whether the disk has all of it.
    bool at_rest() const {
        return has_samples() && defined && !changed && open.empty() && !has_sealed() &&
               (extra == nullptr || (extra->histograms.empty() && extra->late.empty()));
    }
    bool has_open_histograms() const { return extra != nullptr && !extra->histograms.empty(); }
    // Its state for a checkpoint that writes the sealed chunks as well.
    std::string record() const;
    void restore(HeadRecord head);

private:
    void append_histogram(Sample sample, const HistogramPtr& histogram);
};

class Shard {
public:
    Mutex& mutex() STOKER_THREAD_ANNOTATION(lock_returned(mutex_)) { return mutex_; }

    MemSeries* find(std::uint64_t hash, const Labels& labels) REQUIRES_LOCK(mutex_);
    MemSeries* find(SeriesId id) REQUIRES_LOCK(mutex_) { return by_id_.find(id); }
    // Null if the series has gone.
    MemSeries* find_ref(SeriesRef ref) REQUIRES_LOCK(mutex_) {
        MemSeries* series = at_slot((ref & 0xffffffff) / kShards);
        return series != nullptr && series->ref() == ref ? series : nullptr;
    }
    // REQUIRES: neither the id nor the labels are here yet.
    MemSeries& create(SeriesId id, std::uint64_t hash, const Labels& labels, Index& index) REQUIRES_LOCK(mutex_);
    void remove(MemSeries& series, Index& index) REQUIRES_LOCK(mutex_);
    // Appends, and remembers the series for maintain() if that sealed its chunk.
    Verdict append(MemSeries& series, Sample sample, const HistogramPtr& histogram) REQUIRES_LOCK(mutex_);
    void append_late(MemSeries& series, Sample sample, HistogramPtr histogram) REQUIRES_LOCK(mutex_);
    // Series with sealed chunks since the last call.
    std::vector<SeriesId> take_sealed() REQUIRES_LOCK(mutex_) { return std::exchange(with_sealed_, {}); }

    // For walking over all series, a slice at a time: slots are in [0, slots_end()), some empty, and are used again.
    std::uint64_t slots_end() const REQUIRES_LOCK(mutex_) { return slots_.size(); }
    MemSeries* at_slot(std::uint64_t slot) REQUIRES_LOCK(mutex_) {
        return slot < slots_.size() ? slots_[slot].get() : nullptr;
    }

private:
    mutable Mutex mutex_;
    std::vector<std::unique_ptr<MemSeries>> slots_ GUARDED_BY(mutex_);
    std::vector<std::uint32_t> free_slots_ GUARDED_BY(mutex_);
    PointerMap<MemSeries> by_hash_ GUARDED_BY(mutex_);
    PointerMap<MemSeries> by_id_ GUARDED_BY(mutex_);
    std::vector<SeriesId> with_sealed_ GUARDED_BY(mutex_);
};

}  // namespace stoker::tsdb
