// What one select() found: its series, and the one place where all that they need is kept, so that a series costs no
// memory of its own and all of them go at once.
//
// Filled by one thread, the part of a series in memory under its shard's lock; immutable afterwards, so that walks need
// no lock and outlive the store's changes. A series keeps the whole selection alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "tsdb/disk.h"
#include "tsdb/stored_series.h"

namespace stoker::tsdb {

class Selection : public std::enable_shared_from_this<Selection> {
public:
    // `pin` is the index's: label texts stay.
    Selection(std::int64_t start, std::int64_t end, std::shared_ptr<const void> pin)
        : start_(start), end_(end), pin_(std::move(pin)) {}
    ~Selection();
    Selection(const Selection&) = delete;
    Selection& operator=(const Selection&) = delete;

    std::int64_t start() const { return start_; }
    std::int64_t end() const { return end_; }
    const std::shared_ptr<const Disk::View>& view() const { return view_; }

    StoredSeries* add(const MemSeries& series);
    StoredSeries* add(ArchivedSeries series);
    const std::vector<StoredSeries*>& series() const { return series_; }

    // From now on what is on disk can be walked; with `ahead` chunks are read already now, as many as one selection may
    // hold.
    void load(std::shared_ptr<const Disk::View> view, bool ahead);

    // Kept as long as the selection.
    std::string_view keep(std::string_view bytes);
    std::string_view keep(std::shared_ptr<const std::string> bytes);
    std::span<const LabelRef> keep(std::span<const LabelRef> refs);
    std::pmr::memory_resource& room() { return room_; }

private:
    template <typename From>
    StoredSeries* make(From&& from);

    const std::int64_t start_;
    const std::int64_t end_;
    const std::shared_ptr<const void> pin_;
    std::shared_ptr<const Disk::View> view_;
    std::pmr::monotonic_buffer_resource room_{16 << 10};
    std::vector<StoredSeries*> series_;
    std::vector<std::shared_ptr<const std::string>> shared_;
};

}  // namespace stoker::tsdb
