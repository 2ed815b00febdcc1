// Coming back after a restart: series and heads from disk, then what the log has since the last checkpoint.
#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "base/file.h"
#include "base/log.h"
#include "tsdb/entries.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

constexpr SeriesId kSkippedNumbers = SeriesId{1} << 20;  // Left free where ids may be in use that can't be read.

// Puts the log's entries into the shards.
class Replayer {
public:
    using Late = std::function<void(Shard&, MemSeries&, Sample, const HistogramPtr&)>;

    Replayer(std::array<std::unique_ptr<Shard>, kShards>& shards, Index& index, RollupBook& rollups, Late late)
        : shards_(shards), index_(index), rollups_(rollups), late_(std::move(late)) {}

    void on_series(SeriesId id, const Labels& labels) {
        const std::uint64_t hash = labels.hash();
        highest_ = std::max(highest_, id);
        if (shard_of_hash(hash) != shard_of_id(id)) {
            ++lost_;
            return;
        }
        Shard& shard = *shards_[shard_of_id(id)];
        MutexLock lock(shard.mutex());
        if (shard.find(id) != nullptr) {
            return;
        }
        // A series may have been retired and come back under a new id, and only the second be remembered.
        if (const MemSeries* same = shard.find(hash, labels)) {
            aliases_[id] = same->id;
            return;
        }
        shard.create(id, hash, labels, index_).changed = true;
    }

    void on_sample(SeriesId id, Sample sample, const HistogramPtr& histogram, Arrival arrival) {
        if (!aliases_.empty()) {
            if (const auto alias = aliases_.find(id); alias != aliases_.end()) {
                id = alias->second;
            }
        }
        Shard& shard = *shards_[shard_of_id(id)];
        MutexLock lock(shard.mutex());
        MemSeries* series = shard.find(id);
        if (series == nullptr) {
            ++lost_;
            return;
        }
        // What a checkpoint already has is refused as a duplicate or as old: that is as it should be. Late samples are
        // told apart by looking for them.
        const Verdict verdict = shard.append(*series, sample, histogram);
        if (verdict == Verdict::Behind && arrival == Arrival::Late) {
            late_(shard, *series, sample, histogram);
        }
        if (verdict == Verdict::Accepted || arrival == Arrival::Late) {
            rollups_.note(id, sample.time);
        }
    }

    // The id that the series has now.
    SeriesId resolve(SeriesId id) const {
        const auto alias = aliases_.find(id);
        return alias == aliases_.end() ? id : alias->second;
    }

    SeriesId highest() const { return highest_; }
    std::uint64_t lost() const { return lost_; }

private:
    std::array<std::unique_ptr<Shard>, kShards>& shards_;
    Index& index_;
    RollupBook& rollups_;
    Late late_;
    std::unordered_map<SeriesId, SeriesId> aliases_;
    SeriesId highest_ = 0;
    std::uint64_t lost_ = 0;
};

}  // namespace

Result<Unit> StoreImpl::load(const std::string& directory) {
    const auto started = std::chrono::steady_clock::now();
    directory_ = directory;
    TRY_UNIT(ensure_directory(directory));
    TRY(disk_, Disk::open(directory + "/chunks", options_, damage_));
    next_number_.store(disk_->archive().highest_id() / kShards + 1);
    index_.begin_load();
    TRY_UNIT(load_disk());
    TRY_UNIT(load_meta());
    TRY_UNIT(load_log(directory + "/wal"));
    index_.end_load();
    note_loaded();
    disk_->loaded();
    const auto took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started);
    log::debug("metrics store is open",
               {{"directory", directory}, {"series", limits_.series()}, {"took_ms", took.count()}});
    return Unit{};
}

Result<Unit> StoreImpl::load_disk() {
    const auto on_damage = [this](const std::string& where, const std::string& what) { note_damage(where, what); };
    const auto on_series = [this](SeriesId id, const Labels& labels) -> Result<Unit> {
        const std::uint64_t hash = labels.hash();
        if (shard_of_hash(hash) != shard_of_id(id)) {
            return Error{Errc::Corruption, "series " + labels.text() + " lies under an id that is not its own"};
        }
        Shard& shard = *shards_[shard_of_id(id)];
        MutexLock lock(shard.mutex());
        shard.create(id, hash, labels, index_).defined = true;
        next_number_.store(std::max(next_number_.load(), id / kShards + 1));
        return Unit{};
    };
    TRY_UNIT(disk_->each_series(on_series, on_damage));
    const auto on_head = [this](SeriesId id, HeadRecord head) -> Result<Unit> {
        Shard& shard = *shards_[shard_of_id(id)];
        MutexLock lock(shard.mutex());
        if (MemSeries* series = shard.find(id)) {
            series->restore(std::move(head));
        }
        return Unit{};
    };
    TRY_UNIT(disk_->each_head(on_head, on_damage));
    return damage_->empty() ? Unit{} : load_around_damage();
}

// What is known of series and heads by their chunks alone, after some of the former could not be read.
Result<Unit> StoreImpl::load_around_damage() {
    const auto on_chunk = [this](SeriesId id, std::string_view sealed) -> Result<Unit> {
        // An id whose definition is lost must not be given again: a new series would get the old one's samples.
        next_number_.store(std::max(next_number_.load(), id / kShards + 1));
        Shard& shard = *shards_[shard_of_id(id)];
        MutexLock lock(shard.mutex());
        MemSeries* series = shard.find(id);
        if (series == nullptr) {
            return Unit{};
        }
        SampleList samples;
        TRY_UNIT(read_chunk(sealed, samples));
        const std::int64_t first = samples.samples.front().time;
        const Sample last = samples.samples.back();
        if (series->first_time == kNever || first < series->first_time) {
            series->first_time = first;
        }
        if (series->disk_time == kNever || last.time > series->disk_time) {
            series->disk_time = last.time;
            if (series->open.empty() && !series->has_open_histograms() && last.time > series->open.max_time()) {
                series->open = OpenChunk(last);
            }
        }
        return Unit{};
    };
    const auto on_damage = [this](const std::string& where, const std::string& what) { note_damage(where, what); };
    TRY_UNIT(disk_->each_chunk(ChunkFamily::InOrder, on_chunk, on_damage));
    // More may have been lost with their chunks.
    next_number_.fetch_add(kSkippedNumbers);
    return Unit{};
}

Result<Unit> StoreImpl::load_log(const std::string& directory) {
    Replayer replayer(shards_, index_, rollups_,
                      [this](Shard& shard, MemSeries& series, Sample sample, const HistogramPtr& histogram)
                          REQUIRES_LOCK(shard.mutex()) { replay_late(shard, series, sample, histogram); });
    EntryVisitor visitor;
    visitor.on_series = [&](SeriesId id, const Labels& labels) { replayer.on_series(id, labels); };
    visitor.on_sample = [&](SeriesId id, Sample sample, const HistogramPtr& histogram, Arrival arrival) {
        replayer.on_sample(id, sample, histogram, arrival);
    };
    visitor.on_record = [&](RecordKind kind, std::string_view body) {
        return replay_record(kind, body, [&](SeriesId id) { return replayer.resolve(id); });
    };
    TRY(const WalReplay replay,
        replay_wal(directory, [&](std::string_view entries) { return read_entries(entries, visitor); }));
    next_number_.store(std::max(next_number_.load(), replayer.highest() / kShards + 1));
    if (replay.torn_bytes > 0) {
        log::warn("cut an unfinished write from the metrics log", {{"bytes", replay.torn_bytes}});
    }
    for (const WalReplay::Damage& damage : replay.damage) {
        note_damage(damage.file.string(), damage.what);
    }
    if (replayer.lost() > 0) {
        note_damage(directory, std::to_string(replayer.lost()) + " entries of series that are not known");
    }
    const WalSync sync = options_.durability == Durability::Fsync ? WalSync::EveryCommit : WalSync::None;
    TRY(wal_, Wal::open(directory, replay.next_segment, sync, options_.faults));
    return Unit{};
}

void StoreImpl::replay_late(Shard& shard, MemSeries& series, Sample sample, const HistogramPtr& histogram) {
    if (auto verdict = append_late(shard, series, sample, histogram); !verdict) {
        // It can't be told whether it is there already; twice is better than not at all.
        note_damage("series " + to_labels(series.labels()).text(), verdict.error().message);
        shard.append_late(series, sample, histogram);
    }
}

void StoreImpl::note_loaded() {
    std::int64_t oldest = oldest_.load();
    std::int64_t newest = newest_.load();
    for (auto& shard : shards_) {
        MutexLock lock(shard->mutex());
        for (std::uint64_t slot = 0; slot < shard->slots_end(); ++slot) {
            const MemSeries* series = shard->at_slot(slot);
            if (series != nullptr) {
                limits_.count(series->labels());
            }
            if (series != nullptr && series->has_samples()) {
                oldest = std::min(oldest, series->first_time);
                newest = std::max(newest, series->last_time());
            }
        }
    }
    oldest_.store(oldest);
    newest_.store(newest);
    metrics_.series.set(static_cast<double>(index_.series()));
}

}  // namespace stoker::tsdb
