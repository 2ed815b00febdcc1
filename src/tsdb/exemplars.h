// The newest exemplars of all series: a ring of bounded size, threaded into one list for each series.
//
// Each has a sequence number, so that a checkpoint writes only what came since the one before. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/sync.h"
#include "tsdb/index.h"
#include "tsdb/store.h"

namespace stoker::tsdb {

// As the log and the disk hold one. Format: docs/format/tsdb.md.
std::string encode_exemplar(SeriesId id, const Exemplar& exemplar);
// Errors: Corruption.
Result<Exemplar> decode_exemplar(std::string_view bytes, SeriesId& id);

class ExemplarRing {
public:
    enum class Verdict : std::uint8_t { Stored, Duplicate, TooOld, Off };

    explicit ExemplarRing(std::size_t most) : most_(most) {}

    // Takes one that is newer than its series' newest; the oldest of all makes room.
    Verdict add(SeriesId id, const Exemplar& exemplar);
    // Puts back one that a checkpoint wrote, under the number it had. REQUIRES: called in ascending order, before
    // add().
    void restore(std::uint64_t number, SeriesId id, const Exemplar& exemplar);

    // Of one series in [start, end], ascending by time.
    std::vector<Exemplar> of(SeriesId id, std::int64_t start, std::int64_t end) const;

    // Those with numbers from `first` on, ascending; returns the number that the next one will get.
    std::uint64_t each_since(std::uint64_t first,
                             const std::function<void(std::uint64_t number, SeriesId, const Exemplar&)>& visit) const;
    // The number of the oldest still here, or of the next one to come.
    std::uint64_t oldest() const;
    std::size_t size() const;

private:
    struct Slot {
        SeriesId id = 0;
        Exemplar exemplar;
        std::uint64_t newer = 0;  // The series' next exemplar; 0: none.
    };
    struct Chain {
        std::uint64_t oldest = 0;
        std::uint64_t newest = 0;
    };

    Slot& slot(std::uint64_t number) REQUIRES_LOCK(mutex_) { return slots_[number % most_]; }
    const Slot& slot(std::uint64_t number) const REQUIRES_LOCK(mutex_) { return slots_[number % most_]; }
    void push(SeriesId id, const Exemplar& exemplar) REQUIRES_LOCK(mutex_);
    void drop_oldest() REQUIRES_LOCK(mutex_);

    const std::size_t most_;
    mutable Mutex mutex_;
    std::vector<Slot> slots_ GUARDED_BY(mutex_);  // Grows up to most_; number n lies at n % most_.
    std::uint64_t first_ GUARDED_BY(mutex_) = 1;  // Number of the oldest.
    std::uint64_t next_ GUARDED_BY(mutex_) = 1;
    std::unordered_map<SeriesId, Chain> chains_ GUARDED_BY(mutex_);
};

}  // namespace stoker::tsdb
