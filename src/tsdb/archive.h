// Series that have had no samples for hours: out of memory, their definitions and an inverted index of them on disk.
//
// What a fleet replaces each hour must not stay in memory for as long as its samples are kept. A series that has gone
// quiet is moved here whole (docs/decisions/006): its chunks stay where they are under its id, and queries over its
// time find it by its labels. If it comes back it begins anew in memory, with another id; select() joins the two.
// Format: docs/format/tsdb.md. Thread-safe.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tsdb/head.h"
#include "tsdb/index.h"
#include "tsdb/matcher.h"

namespace stoker::tsdb {

struct ArchivedSeries {
    SeriesId id = 0;
    std::int64_t first_time = 0;
    std::int64_t last_time = 0;            // Of all.
    std::int64_t late_disk_time = kNever;  // Of those in chunks of late samples.
    Labels labels;
};

class Archive {
public:
    using Visit = std::function<Result<Unit>(ArchivedSeries)>;

    // Reads how far the archive reaches. REQUIRES: both outlive it.
    static Result<std::unique_ptr<Archive>> open(rocksdb::DB& db, rocksdb::ColumnFamilyHandle& family);

    void put(rocksdb::WriteBatch& batch, const ArchivedSeries& series);

    // Series that match and may have samples in [start, end], ascending by id.
    Result<Unit> each_match(const std::vector<CompiledMatcher>& matchers, std::int64_t start, std::int64_t end,
                            const Visit& visit) const;
    // The same after a Corruption: past what can't be read, by looking at all of them.
    Result<Unit> each_around_damage(const std::vector<CompiledMatcher>& matchers, std::int64_t start, std::int64_t end,
                                    const Visit& visit) const;
    bool damaged() const { return damaged_; }  // Found by open().
    // Names of labels, ascending, each once; or values of one.
    Result<std::vector<std::string>> names() const;
    Result<std::vector<std::string>> values(std::string_view name) const;

    // Forgets series whose samples are all before `time`; says which.
    Result<std::vector<SeriesId>> drop_before(std::int64_t time);

    // Nothing here has samples after this. Most queries ask for later ones and need not look.
    std::int64_t newest() const { return newest_.load(std::memory_order_acquire); }
    SeriesId highest_id() const { return highest_id_; }

private:
    Archive(rocksdb::DB& db, rocksdb::ColumnFamilyHandle& family) : db_(db), family_(family) {}

    Result<std::vector<SeriesId>> with_label(const std::string& name, const std::string& value) const;
    Result<std::vector<std::string>> distinct(std::string prefix) const;

    rocksdb::DB& db_;
    rocksdb::ColumnFamilyHandle& family_;
    std::atomic<std::int64_t> newest_{kNever};
    bool damaged_ = false;
    SeriesId highest_id_ = 0;  // Found by open(): ids are never given twice.
};

}  // namespace stoker::tsdb
