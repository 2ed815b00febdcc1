#include "tsdb/disk.h"

#include <rocksdb/convenience.h>
#include <rocksdb/listener.h>
#include <rocksdb/utilities/checkpoint.h>

#include <algorithm>
#include <limits>

#include "base/file.h"
#include "tsdb/bytes.h"
#include "tsdb/disk_options.h"
#include "tsdb/disk_scan.h"

namespace stoker::tsdb {

namespace {

constexpr std::size_t kChunkKey = 24;  // Day, series, first time.

Error to_error(const rocksdb::Status& status, std::string_view what) {
    const Errc code = status.IsCorruption() ? Errc::Corruption
                      : status.IsNoSpace()  ? Errc::ResourceExhausted
                                            : Errc::Unavailable;
    return {code, std::string(what) + ": " + status.ToString()};
}

Result<Unit> checked(const rocksdb::Status& status, std::string_view what) {
    if (!status.ok()) {
        return to_error(status, what);
    }
    return Unit{};
}

std::string id_key(SeriesId id) {
    std::string key;
    put_ordered(key, id);
    return key;
}

std::string chunk_key(std::int64_t day, SeriesId id, std::int64_t min_time) {
    std::string key;
    put_ordered(key, day);
    put_ordered(key, id);
    put_ordered(key, min_time);
    return key;
}

std::string day_key(std::int64_t day) {
    std::string key;
    put_ordered(key, day);
    return key;
}

// Says what RocksDB finds while it works in the background, and keeps old damage from stopping new writes.
class BackgroundWatch final : public rocksdb::EventListener {
public:
    // Counts in `changes` how often the set of files has changed.
    BackgroundWatch(std::function<void(const std::string&)> report, std::shared_ptr<std::atomic<std::uint64_t>> changes)
        : report_(std::move(report)), changes_(std::move(changes)) {}

    void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override {
        if (reason == rocksdb::BackgroundErrorReason::kCompaction && status->IsCorruption()) {
            report_(status->ToString());
            *status = rocksdb::Status::OK();
        }
    }

    void OnFlushCompleted(rocksdb::DB* /*db*/, const rocksdb::FlushJobInfo& /*info*/) override { ++*changes_; }
    void OnCompactionCompleted(rocksdb::DB* /*db*/, const rocksdb::CompactionJobInfo& /*info*/) override {
        ++*changes_;
    }

private:
    const std::function<void(const std::string&)> report_;
    const std::shared_ptr<std::atomic<std::uint64_t>> changes_;
};

}  // namespace

void DiskBatch::put_chunk(ChunkFamily family, SeriesId id, std::int64_t min_time, std::string_view sealed) {
    batch_.Put(disk_.family(family), chunk_key(partition_of(min_time), id, min_time),
               rocksdb::Slice(sealed.data(), sealed.size()));
}

void DiskBatch::remove_chunk(ChunkFamily family, SeriesId id, std::int64_t min_time) {
    batch_.Delete(disk_.family(family), chunk_key(partition_of(min_time), id, min_time));
}

void DiskBatch::put_series(SeriesId id, std::string_view labels) {
    batch_.Put(disk_.series_, id_key(id), rocksdb::Slice(labels.data(), labels.size()));
}

void DiskBatch::put_head(SeriesId id, std::string_view head) {
    batch_.Put(disk_.heads_, id_key(id), rocksdb::Slice(head.data(), head.size()));
}

std::string meta_key(MetaKind kind, std::string_view rest) {
    std::string key(1, static_cast<char>(kind));
    key += rest;
    return key;
}

std::string meta_key(MetaKind kind, std::uint64_t number) {
    std::string key(1, static_cast<char>(kind));
    put_ordered(key, number);
    return key;
}

void DiskBatch::put_meta(const std::string& key, std::string_view value) {
    batch_.Put(disk_.meta_, key, rocksdb::Slice(value.data(), value.size()));
}

void DiskBatch::remove_meta(const std::string& key) {
    batch_.Delete(disk_.meta_, key);
}

void DiskBatch::remove_series(SeriesId id) {
    batch_.Delete(disk_.series_, id_key(id));
    batch_.Delete(disk_.heads_, id_key(id));
}

void DiskBatch::archive(const ArchivedSeries& series) {
    remove_series(series.id);
    disk_.archive_->put(batch_, series);
}

Result<std::shared_ptr<Disk>> Disk::open(const std::string& directory, const StoreOptions& options,
                                         std::shared_ptr<DamageLog> damage) {
    TRY_UNIT(ensure_directory(directory));
    std::shared_ptr<Disk> disk(new Disk());
    disk->damage_ = damage;
    const auto families = all_families(options);
    rocksdb::DB* db = nullptr;
    rocksdb::DBOptions settings = database_options(options);
    if (options.faults != nullptr) {
        disk->env_ = faulty_env(*options.faults);
        settings.env = disk->env_.get();
    }
    settings.listeners.push_back(std::make_shared<BackgroundWatch>(
        [damage, failed = disk->compaction_failed_](const std::string& what) {
            damage->add("chunks: compaction", what);
            failed->store(true);
        },
        disk->file_changes_));
    auto status = rocksdb::DB::Open(settings, directory, families, &disk->handles_, &db);
    if (status.IsCorruption()) {
        // A file that tells where the others belong, most likely. What is left is put together anew; what does not fit
        // goes to chunks/lost.
        damage->add(directory, status.ToString());
        status = rocksdb::RepairDB(directory, settings, families);
        if (status.ok()) {
            status = rocksdb::DB::Open(settings, directory, families, &disk->handles_, &db);
        }
    }
    if (!status.ok()) {
        if (status.ToString().find("lock") != std::string::npos) {
            return Error{Errc::Conflict, "metrics store " + directory + " is in use by another process"};
        }
        return to_error(status, "open metrics store " + directory);
    }
    TRY_UNIT(disk->adopt(db));
    return disk;
}

Result<Unit> Disk::copy_to(const std::string& directory) const {
    rocksdb::Checkpoint* raw = nullptr;
    TRY_UNIT(checked(rocksdb::Checkpoint::Create(db_.get(), &raw), "snapshot"));
    const std::unique_ptr<rocksdb::Checkpoint> copier(raw);
    return checked(copier->CreateCheckpoint(directory), "snapshot");
}

Result<std::shared_ptr<Disk>> Disk::open_to_read(const std::string& directory, std::shared_ptr<DamageLog> damage) {
    std::shared_ptr<Disk> disk(new Disk());
    disk->damage_ = std::move(damage);
    rocksdb::DB* db = nullptr;
    rocksdb::DBOptions settings = database_options({});
    settings.create_if_missing = false;
    settings.create_missing_column_families = false;
    std::vector<std::string> there;
    TRY_UNIT(checked(rocksdb::DB::ListColumnFamilies(settings, directory, &there), "open " + directory));
    auto families = all_families({});
    if (std::find(there.begin(), there.end(), families.back().name) == there.end()) {
        families.pop_back();  // From before there were rollups.
    }
    const auto status = rocksdb::DB::OpenForReadOnly(settings, directory, families, &disk->handles_, &db);
    TRY_UNIT(checked(status, "open " + directory));
    TRY_UNIT(disk->adopt(db));
    return disk;
}

Result<Unit> Disk::adopt(rocksdb::DB* db) {
    db_.reset(db);
    series_ = handles_[1];
    chunks_ = handles_[2];
    heads_ = handles_[3];
    meta_ = handles_[4];
    late_ = handles_[5];
    archived_ = handles_[6];
    rollups_ = handles_.size() > 7 ? handles_[7] : nullptr;
    TRY(archive_, Archive::open(*db_, *archived_));
    if (archive_->damaged()) {
        damage_->add("chunks: archived series", "some can't be read");
    }
    return Unit{};
}

Disk::~Disk() {
    if (db_) {
        for (auto* handle : handles_) {
            (void)db_->DestroyColumnFamilyHandle(handle);
        }
        (void)db_->Close();
    }
}

void Disk::spare_damaged() {
    if (compaction_failed_->exchange(false)) {
        for (auto* handle : handles_) {
            (void)db_->SetOptions(handle, {{"disable_auto_compactions", "true"}});
        }
    }
}

Result<Unit> Disk::write(DiskBatch& batch) {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    return checked(db_->Write(options, &batch.batch_), "write metrics chunks");
}

Result<Unit> Disk::resume() {
    const auto status = db_->Resume();
    if (status.IsBusy()) {
        return Error{Errc::ResourceExhausted, "RocksDB is looking for space again"};  // It does so by itself, too.
    }
    return checked(status, "resume after a full disk");
}

Result<Unit> Disk::checkpoint() {
    return checked(db_->Flush(rocksdb::FlushOptions(), {series_, chunks_, late_, heads_, meta_, archived_, rollups_}),
                   "flush metrics chunks");
}

void Disk::loaded() {
    (void)db_->EnableAutoCompaction({series_, heads_});
}

Result<Unit> Disk::compact_heads() {
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    for (auto* handle : {heads_, series_}) {
        TRY_UNIT(checked(db_->CompactRange(options, handle, nullptr, nullptr), "compact heads"));
    }
    return Unit{};
}

Result<std::optional<std::string>> Disk::chunk(ChunkFamily which, SeriesId id, std::int64_t min_time) const {
    std::string value;
    const auto status =
        db_->Get(rocksdb::ReadOptions(), family(which), chunk_key(partition_of(min_time), id, min_time), &value);
    if (status.IsNotFound()) {
        return std::optional<std::string>();
    }
    TRY_UNIT(checked(status, "read chunk"));
    return std::optional<std::string>(std::move(value));
}

Result<Unit> Disk::compact_chunks(std::int64_t start, std::int64_t end) {
    const std::string first = day_key(partition_of(start));
    const std::string last = day_key(partition_of(end) + 1);
    const rocksdb::Slice from(first);
    const rocksdb::Slice upto(last);
    for (auto* handle : {chunks_, late_}) {
        TRY_UNIT(checked(db_->CompactRange(rocksdb::CompactRangeOptions(), handle, &from, &upto), "compact chunks"));
    }
    return Unit{};
}

Result<Unit> Disk::drop_before(std::int64_t time) {
    TRY_UNIT(drop_before(chunks_, time));
    return drop_before(late_, time);
}

Result<Unit> Disk::drop_before(rocksdb::ColumnFamilyHandle* family, std::int64_t time) {
    std::string first;
    {
        std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions(), family));
        it->SeekToFirst();
        if (it->Valid()) {
            first = it->key().ToString();
        } else if (!it->status().IsCorruption()) {
            return checked(it->status(), "find oldest chunk");
        }  // What can't be read is dropped by its age like all else: from the lowest key on.
    }
    const std::string end = day_key(partition_of(time));
    return first < end ? drop_range(family, first, end) : Unit{};
}

Result<Unit> Disk::drop_range(rocksdb::ColumnFamilyHandle* family, const std::string& first, const std::string& end) {
    // Frees whole files at once; what shares a file with newer days is cut out of it.
    const rocksdb::Slice from(first);
    const rocksdb::Slice upto(end);
    TRY_UNIT(checked(rocksdb::DeleteFilesInRange(db_.get(), family, &from, &upto, false), "delete old files"));
    TRY_UNIT(drop_keys(family, first, end));
    const auto compacted = db_->CompactRange(rocksdb::CompactRangeOptions(), family, &from, &upto);
    return compacted.IsCorruption() ? Unit{} : checked(compacted, "drop old days");
}

Result<Unit> Disk::drop_keys(rocksdb::ColumnFamilyHandle* family, const std::string& first, const std::string& end) {
    constexpr int kAtOnce = 10'000;
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    rocksdb::ReadOptions whole;
    const rocksdb::Slice upto(end);
    whole.iterate_upper_bound = &upto;
    whole.fill_cache = false;
    rocksdb::WriteBatch batch;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(whole, family));
    for (it->Seek(first); it->Valid(); it->Next()) {
        TRY_UNIT(checked(batch.Delete(family, it->key()), "drop old days"));
        if (batch.Count() >= kAtOnce) {
            TRY_UNIT(checked(db_->Write(options, &batch), "drop old days"));
            batch.Clear();
        }
    }
    if (it->status().IsCorruption()) {  // Keys that can't be read can't be named one by one.
        return checked(db_->DeleteRange(options, family, first, end), "drop old days");
    }
    TRY_UNIT(checked(it->status(), "drop old days"));
    return checked(db_->Write(options, &batch), "drop old days");
}

std::shared_ptr<const FileStarts> Disk::chunk_starts(ChunkFamily which) const {
    MutexLock lock(starts_mutex_);
    CachedStarts& cached = starts_[static_cast<std::size_t>(which)];
    const std::uint64_t changes = file_changes_->load() + 1;
    if (cached.changes != changes) {
        cached = {changes, std::make_shared<const FileStarts>(file_starts(*db_, family(which)))};
    }
    return cached.starts;
}

std::shared_ptr<const Disk::View> Disk::view() {
    return std::make_shared<const View>(shared_from_this());
}

std::uint64_t Disk::bytes_besides_chunks() const {
    return bytes_of({series_, heads_, meta_, archived_});
}

std::uint64_t Disk::bytes() const {
    return bytes_of(handles_);
}

std::uint64_t Disk::bytes_of(const std::vector<rocksdb::ColumnFamilyHandle*>& families) const {
    std::uint64_t total = 0;
    for (auto* handle : families) {
        std::uint64_t bytes = 0;
        if (db_->GetIntProperty(handle, rocksdb::DB::Properties::kTotalSstFilesSize, &bytes)) {
            total += bytes;
        }
    }
    return total;
}

std::unique_ptr<rocksdb::Iterator> Disk::View::chunks(ChunkFamily family) const {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    return std::unique_ptr<rocksdb::Iterator>(disk_->db_->NewIterator(options, disk_->family(family)));
}

std::unique_ptr<rocksdb::Iterator> Disk::View::scan(ChunkFamily family) const {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    options.fill_cache = false;
    options.readahead_size = std::size_t{256} << 10;
    return std::unique_ptr<rocksdb::Iterator>(disk_->db_->NewIterator(options, disk_->family(family)));
}

ChunkCursor::ChunkCursor(std::shared_ptr<const Disk::View> view, ChunkFamily family, SeriesId id, std::int64_t start,
                         std::int64_t end)
    : ChunkCursor(view, view->chunks(family), family, id, start, end) {}

ChunkCursor::ChunkCursor(std::shared_ptr<const Disk::View> view, std::unique_ptr<rocksdb::Iterator> iterator,
                         ChunkFamily family, SeriesId id, std::int64_t start, std::int64_t end)
    : view_(std::move(view)), iterator_(std::move(iterator)), family_(family), id_(id), start_(start), end_(end) {}

ChunkCursor::~ChunkCursor() = default;

Result<bool> ChunkCursor::next(std::string_view& sealed) {
    if (failed_) {
        failed_ = false;
        if (day_ > partition_of(end_) - stride_) {
            return false;
        }
        day_ += stride_;
        stride_ *= 2;
        iterator_->Seek(chunk_key(day_, id_, std::numeric_limits<std::int64_t>::min()));
    } else if (started_) {
        checked_next(*iterator_, view_->starts(family_));
    } else {
        started_ = true;
        day_ = partition_of(start_);
        seek_first();
    }
    const bool found = settle();
    if (auto read = checked(iterator_->status(), "read chunk"); !read) {
        failed_ = read.error().code == Errc::Corruption;
        view_->damage().add("chunks", read.error().message);  // Which names the block.
        return std::move(read).error();
    }
    if (found) {
        sealed = {iterator_->value().data(), iterator_->value().size()};
    }
    return found;
}

void ChunkCursor::seek_first() {
    const std::int64_t day = partition_of(start_);
    if (family_ == ChunkFamily::Late) {
        iterator_->Seek(chunk_key(day, id_, std::numeric_limits<std::int64_t>::min()));
        return;
    }
    // The chunk that begins before `start` may reach into the range.
    iterator_->SeekForPrev(chunk_key(day, id_, start_));
    const bool before = iterator_->Valid() && iterator_->key().size() == kChunkKey &&
                        get_ordered_signed(iterator_->key().data()) == day &&
                        get_ordered(iterator_->key().data() + 8) == id_;
    if (!before) {
        iterator_->Seek(chunk_key(day, id_, start_));
    }
}

// Moves over other series' chunks to the next of this one, a day at a time; days that nobody has cost nothing.
bool ChunkCursor::settle() {
    while (iterator_->Valid()) {
        const char* key = iterator_->key().data();
        const std::int64_t day = get_ordered_signed(key);
        const SeriesId id = get_ordered(key + 8);
        if (day > partition_of(end_)) {
            return false;
        }
        day_ = day;
        if (id == id_) {
            return get_ordered_signed(key + 16) <= end_;
        }
        day_ = id < id_ ? day : day + 1;
        iterator_->Seek(chunk_key(day_, id_, std::numeric_limits<std::int64_t>::min()));
    }
    return false;
}

}  // namespace stoker::tsdb
