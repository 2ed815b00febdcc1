// What the index found for selectors that were asked lately: their series in the order of their labels.
//
// Dashboards and rules ask the same again and again while series rarely come or go; an answer holds until one does
// (Index::generation()). Bounded in selectors and in series. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/sync.h"
#include "tsdb/matcher.h"
#include "tsdb/shard.h"

namespace stoker::tsdb {

// The series of a selector, shard by shard so that locks are taken rarely; places[i] is that of refs[i] among all by
// labels.
struct SelectedSeries {
    std::vector<SeriesRef> refs;
    std::vector<std::uint32_t> places;
};

class SelectCache {
public:
    // Null if it is not known, or not of this generation of the index.
    std::shared_ptr<const SelectedSeries> find(const std::vector<Matcher>& matchers, std::uint64_t generation);
    void put(const std::vector<Matcher>& matchers, std::uint64_t generation,
             std::shared_ptr<const SelectedSeries> series);

private:
    struct Entry {
        std::string key;
        std::uint64_t generation = 0;
        std::shared_ptr<const SelectedSeries> series;
    };

    void trim() REQUIRES_LOCK(mutex_);

    Mutex mutex_;
    std::list<Entry> entries_ GUARDED_BY(mutex_);  // The latest used first; few, so that looking through them is cheap.
    std::size_t held_ GUARDED_BY(mutex_) = 0;      // Series of all.
};

}  // namespace stoker::tsdb
