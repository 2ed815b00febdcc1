// Deletion: hidden at once and for good, erased from the disk later.
#include <algorithm>
#include <filesystem>
#include <limits>

#include "base/file.h"
#include "tsdb/bytes.h"
#include "tsdb/hash.h"
#include "tsdb/records.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

constexpr std::uint64_t kTombstonesSeed = 0x746f6d6273746f6eULL;

std::string tombstone_record(SeriesId id, TimeInterval interval) {
    std::string body;
    put_varint(body, id);
    body += encode_intervals({interval});
    return body;
}

}  // namespace

// The interval ends at the series' newest sample: what comes later is not what the caller wanted gone.
Result<std::size_t> StoreImpl::delete_series(const std::vector<Matcher>& matchers, std::int64_t start,
                                             std::int64_t end) {
    TRY_UNIT(writable());
    std::string log;
    std::size_t touched = 0;
    const auto hide = [&](SeriesId id, TimeInterval interval) {
        if (interval.start > interval.end || tombstones_.covers(id, interval)) {
            return;
        }
        tombstones_.add(id, interval);
        put_record(log, RecordKind::Tombstone, tombstone_record(id, interval));
        ++touched;
    };
    TRY_UNIT(each_matching(matchers, [&](const MemSeries& series) {
        if (series.has_samples()) {
            hide(series.id, {std::max(start, series.first_time), std::min(end, series.last_time())});
        }
    }));
    TRY_UNIT(each_archived(matchers, start, end, [&](const ArchivedSeries& series) {
        hide(series.id, {std::max(start, series.first_time), std::min(end, series.last_time)});
        return Unit{};
    }));
    if (!log.empty()) {
        TRY_UNIT(commit_log(wal_->enqueue(log)));
        metrics_.deleted.add(static_cast<double>(touched));
    }
    return touched;
}

// Everything deleted goes to the disk first, sealed, so that it can be rewritten there. The checkpoint at the end drops
// the log's copies: replayed without their tombstones they would show again. Until then both are still there.
Result<Unit> StoreImpl::clean_tombstones() {
    MutexLock lock(maintenance_);
    TRY_UNIT(writable());
    auto done = clean_all();
    return done ? std::move(done) : fail(std::move(done).error());
}

Result<Unit> StoreImpl::clean_all() {
    const std::vector<SeriesId> ids = tombstones_.ids();
    std::vector<std::pair<SeriesId, SharedIntervals>> cleaned;
    for (const SeriesId id : ids) {
        Shard& shard = *shards_[shard_of_id(id)];
        MutexLock lock(shard.mutex());
        cleaned.emplace_back(id, tombstones_.of(id));
        if (MemSeries* series = shard.find(id)) {
            series->seal();
            series->seal_late();
        }
    }
    TRY_UNIT(checkpoint(0));  // Writes what is sealed, whoever sealed it.
    std::int64_t start = std::numeric_limits<std::int64_t>::max();
    std::int64_t end = std::numeric_limits<std::int64_t>::min();
    for (const auto& [id, hidden] : cleaned) {
        const auto erase = [&intervals = *hidden](SampleList& list) {
            SampleList kept;
            for (std::size_t i = 0; i < list.size(); ++i) {
                if (!contains(intervals, list.samples[i].time)) {
                    kept.push_back(list.samples[i], list.histogram(i));
                }
            }
            const bool changed = kept.size() != list.size();
            list = std::move(kept);
            return changed;
        };
        TRY_UNIT(disk_->rewrite(id, hidden->front().start, hidden->back().end, erase));
        start = std::min(start, hidden->front().start);
        end = std::max(end, hidden->back().end);
    }
    TRY_UNIT(disk_->checkpoint());
    if (cleaned.empty()) {
        return Unit{};
    }
    // RocksDB still has the chunks as they were, under the new ones: should the new ones be damaged, those would show.
    if (auto compacted = disk_->compact_chunks(start, end); !compacted) {
        if (compacted.error().code != Errc::Corruption) {
            return compacted;
        }
        note_damage("chunks: compaction", compacted.error().message);
        return Unit{};  // The tombstones stay.
    }
    for (const auto& [id, hidden] : cleaned) {
        TRY_UNIT(clean_rollups(id, *hidden));
        tombstones_.remove_those(id, hidden);
    }
    return checkpoint(0);
}

bool StoreImpl::replay_tombstone(std::string_view body, const std::function<SeriesId(SeriesId)>& resolve) {
    ByteReader reader(body);
    const SeriesId id = reader.varint();
    if (!reader.ok()) {
        return false;
    }
    const auto intervals = decode_intervals(reader.rest());
    if (intervals && !intervals->empty()) {
        tombstones_.add_all(resolve(id), *intervals);
    }
    return intervals.has_value();
}

void StoreImpl::save_tombstones(DiskBatch& batch) {
    for (const SeriesId id : tombstones_.take_changed()) {
        const SharedIntervals intervals = tombstones_.of(id);
        if (intervals == nullptr) {
            batch.remove_meta(meta_key(MetaKind::Tombstones, id));
        } else {
            batch.put_meta(meta_key(MetaKind::Tombstones, id), encode_intervals(*intervals));
        }
    }
}

// A second copy of all tombstones, beside RocksDB: if a block of theirs is lost, what was deleted must not show again.
Result<Unit> StoreImpl::copy_tombstones() const {
    const std::string path = directory_ + "/tombstones";
    std::string body;
    for (const SeriesId id : tombstones_.ids()) {
        if (const SharedIntervals intervals = tombstones_.of(id)) {
            put_varint(body, id);
            put_text(body, encode_intervals(*intervals));
        }
    }
    std::error_code ignored;
    if (body.empty() && !std::filesystem::exists(path, ignored)) {
        return Unit{};
    }
    std::string content;
    put_fixed(content, hash_text(body, kTombstonesSeed));
    content += body;
    return write_file_atomic(path, content, stoker::Durability::PowerLoss);
}

Result<Unit> StoreImpl::load_tombstones_copy() {
    const std::string path = directory_ + "/tombstones";
    const auto content = read_file(path, std::size_t{1} << 30);
    if (!content) {
        return content.error().code == Errc::NotFound ? Unit{} : Result<Unit>(content.error());
    }
    ByteReader reader(*content);
    const auto checksum = reader.fixed<std::uint64_t>();
    if (!reader.ok() || hash_text(reader.rest(), kTombstonesSeed) != checksum) {
        note_damage(path, "wrong checksum; RocksDB has the same");
        return Unit{};
    }
    while (!reader.at_end()) {
        const SeriesId id = reader.varint();
        const auto intervals = decode_intervals(reader.text());
        if (!reader.ok() || !intervals) {
            note_damage(path, "malformed; RocksDB has the same");
            break;
        }
        tombstones_.add_all(id, *intervals);
    }
    return Unit{};
}

Result<Unit> StoreImpl::load_tombstones(const DamageVisitor& on_damage) {
    const auto on_entry = [&](std::string_view key, std::string_view value) -> Result<Unit> {
        TRY(const auto intervals, decode_intervals(value));
        if (key.size() != sizeof(SeriesId)) {
            return Error{Errc::Corruption, "malformed key"};
        }
        tombstones_.add_all(get_ordered(key.data()), intervals);
        return Unit{};
    };
    bool lost = false;
    const DamageVisitor on_lost = [&](const std::string& where, const std::string& what) {
        lost = true;
        on_damage(where, what);
    };
    TRY_UNIT(disk_->each_meta(MetaKind::Tombstones, on_entry, on_lost));
    if (lost || !damage_->empty()) {
        TRY_UNIT(load_tombstones_copy());  // It may have some that were cleaned since: better that than too few.
    }
    (void)tombstones_.take_changed();
    return Unit{};
}

}  // namespace stoker::tsdb
