// What the store keeps in RocksDB: sealed chunks, series definitions, and the heads as of the last checkpoint.
//
// Chunks are keyed by (day, series, first time): a day is dropped as one range, and new chunks never rewrite old days.
// The write-ahead log is ours, so RocksDB's own is off; checkpoint() flushes all three families as one before the log
// is trimmed. Keys and values: docs/format/tsdb.md. Thread-safe.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sync.h"
#include "tsdb/archive.h"
#include "tsdb/chunk.h"
#include "tsdb/damage.h"
#include "tsdb/disk_scan.h"
#include "tsdb/faults.h"
#include "tsdb/head.h"
#include "tsdb/index.h"
#include "tsdb/store.h"

namespace stoker::tsdb {

std::string encode_labels(std::span<const LabelRef> refs);
std::string encode_labels(const Labels& labels);
Result<Labels> decode_labels(std::string_view bytes);

// What the family `meta` holds; the first byte of its keys.
enum class MetaKind : char { Metadata = 'm', Exemplar = 'e', Tombstones = 't', State = 's' };

std::string meta_key(MetaKind kind, std::string_view rest);
std::string meta_key(MetaKind kind, std::uint64_t number);

// Chunks whose samples came in order, and those of late samples, which may overlap the others and each other.
enum class ChunkFamily : std::uint8_t { InOrder, Late };

// What rollups are kept of: the first byte of their keys.
enum class RollupLevel : char { Hours = 'h', Minutes = 'm' };
inline constexpr std::array<RollupLevel, 2> kRollupLevels{RollupLevel::Hours, RollupLevel::Minutes};
constexpr std::int64_t resolution_of(RollupLevel level) {
    return level == RollupLevel::Hours ? kLongRollup : kShortRollup;
}

using DamageVisitor = std::function<void(const std::string& where, const std::string& what)>;

// A set of changes that is written as one.
class DiskBatch {
public:
    void put_chunk(ChunkFamily family, SeriesId id, std::int64_t min_time, std::string_view sealed);
    void remove_chunk(ChunkFamily family, SeriesId id, std::int64_t min_time);
    void put_series(SeriesId id, std::string_view labels);
    void put_head(SeriesId id, std::string_view head);
    void remove_series(SeriesId id);
    // From now on the series is in the archive alone.
    void archive(const ArchivedSeries& series);
    // Small things beside the chunks, by a key whose first byte is their MetaKind.
    void put_meta(const std::string& key, std::string_view value);
    void remove_meta(const std::string& key);
    // A series' rollups of a day. No bytes: nobody can tell what they would be.
    void put_rollups(RollupLevel level, std::int64_t day, SeriesId id, std::string_view rollups);
    void remove_rollups(RollupLevel level, std::int64_t day, SeriesId id);

    std::size_t bytes() const { return batch_.GetDataSize(); }

private:
    friend class Disk;
    explicit DiskBatch(class Disk& disk) : disk_(disk) {}

    Disk& disk_;
    rocksdb::WriteBatch batch_;
};

class Disk : public std::enable_shared_from_this<Disk> {
public:
    // Errors: Conflict (another process has it open), Corruption, Unavailable.
    // What is found unreadable, now and later, goes to `damage`.
    static Result<std::shared_ptr<Disk>> open(const std::string& directory, const StoreOptions& options,
                                              std::shared_ptr<DamageLog> damage);
    // Changes nothing there and needs no lock: for checking copies.
    static Result<std::shared_ptr<Disk>> open_to_read(const std::string& directory, std::shared_ptr<DamageLog> damage);
    ~Disk();
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;

    DiskBatch batch() { return DiskBatch(*this); }
    Result<Unit> write(DiskBatch& batch);
    // Lets it write again after ResourceExhausted.
    Result<Unit> resume();
    // A copy of everything written so far, with hard links where it can. REQUIRES: `directory` does not exist.
    Result<Unit> copy_to(const std::string& directory) const;
    // Makes everything written so far durable, even against power loss.
    Result<Unit> checkpoint();

    // Ends compaction once it has met damage: it would try the same again every second. Files pile up, nothing stops.
    void spare_damaged();
    DamageLog& damage() const { return *damage_; }

    // These pass over what they can't read and say so: the errors they return are others.
    // All series, ascending by id.
    Result<Unit> each_series(const std::function<Result<Unit>(SeriesId, Labels)>& visit,
                             const DamageVisitor& on_damage) const;
    Result<Unit> each_head(const std::function<Result<Unit>(SeriesId, HeadRecord)>& visit,
                           const DamageVisitor& on_damage) const;

    // Everything of one kind, ascending by key; `visit` gets the key without its first byte.
    Result<Unit> each_meta(MetaKind kind,
                           const std::function<Result<Unit>(std::string_view key, std::string_view value)>& visit,
                           const DamageVisitor& on_damage) const;

    // All chunks of a family, by day, series and time.
    Result<Unit> each_chunk(ChunkFamily which,
                            const std::function<Result<Unit>(SeriesId, std::string_view sealed)>& visit,
                            const DamageVisitor& on_damage) const;

    // The chunk with exactly this first time, if there is one.
    Result<std::optional<std::string>> chunk(ChunkFamily family, SeriesId id, std::int64_t min_time) const;

    Archive& archive() { return *archive_; }

    // Rewrites a series' chunks that may have samples in [start, end]: `edit` takes samples out and says whether it
    // did. Chunks that can't be read stay.
    Result<Unit> rewrite(SeriesId id, std::int64_t start, std::int64_t end,
                         const std::function<bool(SampleList&)>& edit);

    // Lets RocksDB compact: not before, so that it doesn't compete with the loading.
    void loaded();

    // Makes heads and definitions as small as they get: what was written anew is given back.
    Result<Unit> compact_heads();

    // The days with chunks from that of `start` up to that of `end`, ascending, each with its bytes on disk.
    std::vector<std::pair<std::int64_t, std::uint64_t>> days(std::int64_t start, std::int64_t end) const;
    std::uint64_t bytes_besides_chunks() const;

    // Gives back what was overwritten or removed in the days from `start` to `end`.
    Result<Unit> compact_chunks(std::int64_t start, std::int64_t end);

    // Drops all chunks of days that end at or before `time`.
    Result<Unit> drop_before(std::int64_t time);

    // Drops all rollups of days before `day`.
    Result<Unit> drop_rollups(RollupLevel level, std::int64_t day);
    std::uint64_t rollup_bytes() const;
    // All of them, by level, day and series.
    Result<Unit> each_rollups(const std::function<Result<Unit>(RollupLevel, std::string_view rollups)>& visit,
                              const DamageVisitor& on_damage) const;

    // A view of the chunks and rollups as they are now; it keeps the Disk alive.
    class View;
    std::shared_ptr<const View> view();

    std::uint64_t bytes() const;

private:
    friend class DiskBatch;
    Disk() = default;
    std::shared_ptr<const FileStarts> chunk_starts(ChunkFamily which) const;
    Result<Unit> adopt(rocksdb::DB* db);
    rocksdb::ColumnFamilyHandle* family(ChunkFamily which) const {
        return which == ChunkFamily::Late ? late_ : chunks_;
    }
    std::uint64_t bytes_of(const std::vector<rocksdb::ColumnFamilyHandle*>& families) const;
    Result<Unit> drop_before(rocksdb::ColumnFamilyHandle* family, std::int64_t time);
    // Removes the keys in [first, end), without RocksDB's DeleteRange where that can be: with its tombstones about, an
    // iterator over a file that is damaged frees one of them twice (RocksDB's pull request 12805; Debian has 7.8).
    Result<Unit> drop_range(rocksdb::ColumnFamilyHandle* family, const std::string& first, const std::string& end);
    Result<Unit> drop_keys(rocksdb::ColumnFamilyHandle* family, const std::string& first, const std::string& end);

    std::unique_ptr<rocksdb::Env> env_;  // Only with faults.
    struct CachedStarts {
        std::uint64_t changes = 0;  // Of the files, plus 1, when it was made; 0: never.
        std::shared_ptr<const FileStarts> starts;
    };
    mutable Mutex starts_mutex_;
    mutable std::array<CachedStarts, 2> starts_ GUARDED_BY(starts_mutex_);
    const std::shared_ptr<std::atomic<std::uint64_t>> file_changes_ = std::make_shared<std::atomic<std::uint64_t>>(0);
    std::shared_ptr<DamageLog> damage_;
    const std::shared_ptr<std::atomic<bool>> compaction_failed_ = std::make_shared<std::atomic<bool>>(false);
    std::unique_ptr<rocksdb::DB> db_;
    rocksdb::ColumnFamilyHandle* series_ = nullptr;
    rocksdb::ColumnFamilyHandle* chunks_ = nullptr;
    rocksdb::ColumnFamilyHandle* heads_ = nullptr;
    rocksdb::ColumnFamilyHandle* meta_ = nullptr;
    rocksdb::ColumnFamilyHandle* late_ = nullptr;
    rocksdb::ColumnFamilyHandle* archived_ = nullptr;
    rocksdb::ColumnFamilyHandle* rollups_ = nullptr;  // Null in an old folder that is only read.
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
    std::unique_ptr<Archive> archive_;
};

// Walks the chunks of one series that may hold samples in [start, end], by first time. Of late ones it also gives the
// day's earlier ones, whose end it can't tell.
class ChunkCursor {
public:
    ChunkCursor(std::shared_ptr<const Disk::View> view, ChunkFamily family, SeriesId id, std::int64_t start,
                std::int64_t end);
    // The same with an iterator of the family that another cursor gave back: making one takes longer than a seek.
    ChunkCursor(std::shared_ptr<const Disk::View> view, std::unique_ptr<rocksdb::Iterator> iterator, ChunkFamily family,
                SeriesId id, std::int64_t start, std::int64_t end);
    ~ChunkCursor();
    std::unique_ptr<rocksdb::Iterator> give_back() { return std::move(iterator_); }

    // The next chunk, valid until the following call; false at the end. Errors: Corruption, after which the next call
    // goes on some days later; Unavailable.
    Result<bool> next(std::string_view& sealed);

private:
    void seek_first();
    bool settle();

    std::shared_ptr<const Disk::View> view_;
    std::unique_ptr<rocksdb::Iterator> iterator_;
    const ChunkFamily family_;
    const SeriesId id_;
    const std::int64_t start_;
    const std::int64_t end_;
    bool started_ = false;
    bool failed_ = false;      // The last call could not read on.
    std::int64_t day_ = 0;     // That it was looking at.
    std::int64_t stride_ = 1;  // How many days it goes on by after an error: more each time.
};

class Disk::View {
public:
    explicit View(std::shared_ptr<Disk> disk)
        : disk_(std::move(disk)),
          snapshot_(disk_->db_->GetSnapshot()),
          starts_{disk_->chunk_starts(ChunkFamily::InOrder), disk_->chunk_starts(ChunkFamily::Late)} {}
    ~View() { disk_->db_->ReleaseSnapshot(snapshot_); }
    View(const View&) = delete;
    View& operator=(const View&) = delete;

    std::unique_ptr<rocksdb::Iterator> chunks(ChunkFamily family) const;
    // The same for a long walk: what it reads does not push other blocks out of the cache.
    std::unique_ptr<rocksdb::Iterator> scan(ChunkFamily family) const;
    // A series' rollups of a day, if it has any. Errors: Corruption, Unavailable.
    Result<std::optional<std::string>> rollups(RollupLevel level, std::int64_t day, SeriesId id) const;
    DamageLog& damage() const { return disk_->damage(); }
    const FileStarts& starts(ChunkFamily family) const { return *starts_[static_cast<std::size_t>(family)]; }

private:
    std::shared_ptr<Disk> disk_;
    const rocksdb::Snapshot* snapshot_;
    const std::array<std::shared_ptr<const FileStarts>, 2> starts_;
};

}  // namespace stoker::tsdb
