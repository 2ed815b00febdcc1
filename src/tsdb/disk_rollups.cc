// Rollups on disk: a value for each level, day and series.
#include "tsdb/bytes.h"
#include "tsdb/disk.h"
#include "tsdb/disk_scan.h"

namespace stoker::tsdb {

namespace {

constexpr std::size_t kRollupKey = 17;  // Level, day, series.

std::string day_key(RollupLevel level, std::int64_t day) {
    std::string key(1, static_cast<char>(level));
    put_ordered(key, day);
    return key;
}

std::string rollup_key(RollupLevel level, std::int64_t day, SeriesId id) {
    std::string key = day_key(level, day);
    put_ordered(key, id);
    return key;
}

}  // namespace

void DiskBatch::put_rollups(RollupLevel level, std::int64_t day, SeriesId id, std::string_view rollups) {
    batch_.Put(disk_.rollups_, rollup_key(level, day, id), rocksdb::Slice(rollups.data(), rollups.size()));
}

void DiskBatch::remove_rollups(RollupLevel level, std::int64_t day, SeriesId id) {
    batch_.Delete(disk_.rollups_, rollup_key(level, day, id));
}

Result<std::optional<std::string>> Disk::View::rollups(RollupLevel level, std::int64_t day, SeriesId id) const {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    std::string value;
    const auto status = disk_->db_->Get(options, disk_->rollups_, rollup_key(level, day, id), &value);
    if (status.IsNotFound()) {
        return std::optional<std::string>();
    }
    if (!status.ok()) {
        return Error{status.IsCorruption() ? Errc::Corruption : Errc::Unavailable,
                     "read rollups: " + status.ToString()};
    }
    return std::optional<std::string>(std::move(value));
}

Result<Unit> Disk::drop_rollups(RollupLevel level, std::int64_t day) {
    const std::string least(1, static_cast<char>(level));
    const std::string end = day_key(level, day);
    std::string first = least;
    {
        std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions(), rollups_));
        it->Seek(least);
        if (it->Valid()) {
            first = it->key().ToString();
        } else if (it->status().ok()) {
            return Unit{};
        }  // What can't be read is dropped by its age like all else.
    }
    return first < end ? drop_range(rollups_, first, end) : Unit{};
}

std::uint64_t Disk::rollup_bytes() const {
    return bytes_of({rollups_});
}

Result<Unit> Disk::each_rollups(const std::function<Result<Unit>(RollupLevel, std::string_view rollups)>& visit,
                                const DamageVisitor& on_damage) const {
    if (rollups_ == nullptr) {
        return Unit{};
    }
    ScanVisitor visitor;
    visitor.on_entry = [&](std::string_view key, std::string_view value) -> Result<Unit> {
        if (key.size() != kRollupKey) {
            on_damage("chunks: rollups " + key_text(key), "malformed key");
            return Unit{};
        }
        const auto done = visit(static_cast<RollupLevel>(key[0]), value);
        if (!done && done.error().code == Errc::Corruption) {
            on_damage("chunks: rollups " + key_text(key), done.error().message);
            return Unit{};
        }
        return done;
    };
    visitor.on_gap = [&](std::string_view after, std::string_view before, const std::string& what) {
        on_damage("chunks: rollups between " + key_text(after) + " and " + key_text(before), what);
    };
    return scan_family(*db_, rollups_, {}, visitor);
}

}  // namespace stoker::tsdb
