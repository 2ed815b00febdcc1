// Background work: sealed chunks to disk, checkpoints that let the log be trimmed, and retention.
//
// Everything walks a shard in slices and holds its lock for one slice at a time, so that appends wait for microseconds.
#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

constexpr std::uint64_t kSlice = 256;                    // Series looked at under one hold of a shard's lock.
constexpr std::int64_t kIdleMillis = 2LL * 3600 * 1000;  // An open chunk without samples for so long is sealed.
constexpr std::uint8_t kQuietCheckpoints = 2;            // So many that find a sealed series at rest archive it.
constexpr std::int64_t kRetireEveryMillis = 10LL * 60 * 1000;

// A chunk as it goes to disk: the open chunk's encoding is quick to write, this one is small.
Result<std::string> best_encoding(const std::string& sealed) {
    if (has_histograms(sealed)) {
        return sealed;
    }
    std::vector<Sample> samples;
    TRY_UNIT(read_chunk(sealed, samples));
    return seal_chunk(samples);
}

// A clock that was set back makes everything due.
bool is_due(std::int64_t now, std::int64_t last, std::int64_t every) {
    return last == kNever || now < last || now - last >= every;
}

}  // namespace

// Taken under the shard's lock, written without it.
struct StoreImpl::FlushJob {
    MemSeries* series = nullptr;  // Stays: only maintain() removes series.
    std::vector<SealedChunk> chunks;
    std::vector<SealedChunk> late;
    std::string labels;  // Empty if they are on disk already.
    std::string head;    // Empty if only chunks are wanted.
};

StoreImpl::FlushJob StoreImpl::take_job(MemSeries& series, bool with_head) {
    FlushJob job;
    job.series = &series;
    job.chunks = series.sealed;
    if (series.extra != nullptr) {
        job.late = series.extra->late_sealed;
    }
    if (with_head) {
        if (!series.defined) {
            job.labels = encode_labels(series.labels());
            series.defined = true;
        }
        job.head = series.record();
        series.changed = false;
    }
    return job;
}

// After a crash the disk may have a chunk of late samples that the log brings back in part: the key is its first time,
// so what is there is kept by merging.
Result<Unit> StoreImpl::write_late(DiskBatch& batch, SeriesId id, const std::vector<SealedChunk>& chunks) {
    for (const SealedChunk& chunk : chunks) {
        SampleList samples;
        TRY_UNIT(read_chunk(*chunk.bytes, samples));
        const auto before = disk_->chunk(ChunkFamily::Late, id, chunk.min_time);
        SampleList old;
        if (before && *before && read_chunk(**before, old)) {
            samples = merge(old.block(), samples.block());
        } else if (!before && before.error().code != Errc::Corruption) {
            return before.error();  // What is unreadable there is lost either way, and these must not be.
        }
        for (const SealedChunk& merged : seal_list(samples.block())) {
            batch.put_chunk(ChunkFamily::Late, id, merged.min_time, *merged.bytes);
            metrics_.chunks_written.add();
            metrics_.chunk_bytes.add(static_cast<double>(merged.bytes->size()));
        }
    }
    return Unit{};
}

// After a failure: what the jobs took is to be taken again.
void StoreImpl::give_back(std::span<const FlushJob> jobs) {
    for (const FlushJob& job : jobs) {
        job.series->changed = job.series->changed || !job.head.empty();
        job.series->defined = job.series->defined && job.labels.empty();
    }
}

Result<Unit> StoreImpl::write_jobs(Shard& shard, std::span<FlushJob> jobs) {
    DiskBatch batch = disk_->batch();
    for (const FlushJob& job : jobs) {
        const SeriesId id = job.series->id;
        for (const SealedChunk& chunk : job.chunks) {
            TRY(const std::string best, best_encoding(*chunk.bytes));
            batch.put_chunk(ChunkFamily::InOrder, id, chunk.min_time, best);
            metrics_.chunks_written.add();
            metrics_.chunk_bytes.add(static_cast<double>(best.size()));
        }
        TRY_UNIT(write_late(batch, id, job.late));
        if (!job.labels.empty()) {
            batch.put_series(id, job.labels);
        }
        if (!job.head.empty()) {
            batch.put_head(id, job.head);
        }
    }
    const Result<Unit> written = disk_->write(batch);
    MutexLock lock(shard.mutex());
    if (!written) {
        give_back(jobs);
        return written;
    }
    for (const FlushJob& job : jobs) {
        if (!job.chunks.empty()) {
            auto& sealed = job.series->sealed;
            sealed.erase(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(job.chunks.size()));
            sealed.shrink_to_fit();
            job.series->disk_time = job.chunks.back().max_time;
        }
        if (!job.late.empty()) {
            auto& sealed = job.series->extra->late_sealed;
            sealed.erase(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(job.late.size()));
        }
    }
    return Unit{};
}

Result<Unit> StoreImpl::flush_sealed() {
    for (auto& shard : shards_) {
        std::vector<SeriesId> waiting;
        {
            MutexLock lock(shard->mutex());
            waiting = shard->take_sealed();
        }
        // Twice in the list: sealed, taken by a checkpoint, and sealed again.
        std::sort(waiting.begin(), waiting.end());
        waiting.erase(std::unique(waiting.begin(), waiting.end()), waiting.end());
        for (std::size_t from = 0; from < waiting.size(); from += kSlice) {
            std::vector<FlushJob> jobs;
            {
                MutexLock lock(shard->mutex());
                for (std::size_t i = from; i < std::min<std::size_t>(from + kSlice, waiting.size()); ++i) {
                    MemSeries* series = shard->find(waiting[i]);
                    if (series != nullptr && series->has_sealed()) {
                        jobs.push_back(take_job(*series, false));
                    }
                }
            }
            TRY_UNIT(write_jobs(*shard, jobs));
        }
    }
    return Unit{};
}

// What came before the rotation is in the heads by then, and so on disk before its segments go. What came after may be
// in both; replay refuses it as known.
Result<Unit> StoreImpl::checkpoint(std::int64_t now, SteadyTime seal_until) {
    TRY(const std::uint64_t segment, wal_->rotate());
    std::vector<SeriesId> quiet;
    for (auto& shard : shards_) {
        std::uint64_t from = 0;
        std::uint64_t end = 1;
        for (; from < end; from += kSlice) {
            const bool seal_all = std::chrono::steady_clock::now() < seal_until;
            std::vector<FlushJob> jobs;
            {
                MutexLock lock(shard->mutex());
                end = shard->slots_end();
                for (std::uint64_t slot = from; slot < std::min(from + kSlice, end); ++slot) {
                    MemSeries* series = shard->at_slot(slot);
                    if (series == nullptr) {
                        continue;
                    }
                    const bool idle = series->has_samples() && series->last_time() < now - idle_millis();
                    if (idle && series->at_rest()) {
                        ++series->quiet;
                        if (series->quiet >= kQuietCheckpoints) {
                            quiet.push_back(series->id);
                        }
                        continue;
                    }
                    series->quiet = 0;
                    if (idle || seal_all) {
                        series->seal();
                        series->seal_late();
                    }
                    if (series->changed || !series->defined || series->has_sealed()) {
                        jobs.push_back(take_job(*series, true));
                    }
                }
            }
            if (!jobs.empty()) {
                TRY_UNIT(write_jobs(*shard, jobs));
            }
        }
    }
    TRY_UNIT(save_meta());
    TRY_UNIT(disk_->checkpoint());
    if (auto copied = copy_tombstones(); !copied) {
        log::warn("metrics store: no second copy of its tombstones", {{"error", copied.error().message}});
    }
    TRY_UNIT(wal_->remove_before(segment));
    TRY_UNIT(archive(quiet));
    metrics_.checkpoints.add();
    return Unit{};
}

std::int64_t StoreImpl::idle_millis() const {
    return std::max(kIdleMillis, 2 * options_.out_of_order_window.count());
}

// The log has nothing of a series that the last checkpoint, too, found quiet: it can leave memory without a trace
// there.
Result<Unit> StoreImpl::archive(const std::vector<SeriesId>& ids) {
    constexpr std::size_t kAtOnce = 8;  // Written under the lock, so that queries find a series in one place or both.
    std::size_t archived = 0;
    for (std::size_t from = 0; from < ids.size(); from += kAtOnce) {
        // They come shard by shard; a slice that spans two just takes each lock in turn.
        for (std::size_t i = from; i < std::min(from + kAtOnce, ids.size());) {
            Shard& shard = *shards_[shard_of_id(ids[i])];
            DiskBatch batch = disk_->batch();
            std::vector<MemSeries*> going;
            MutexLock lock(shard.mutex());
            for (; i < std::min(from + kAtOnce, ids.size()) && shards_[shard_of_id(ids[i])].get() == &shard; ++i) {
                MemSeries* series = shard.find(ids[i]);
                if (series != nullptr && series->at_rest()) {
                    batch.archive({series->id, series->first_time, series->last_time(),
                                   series->extra == nullptr ? kNever : series->extra->late_disk_time,
                                   to_labels(series->labels())});
                    going.push_back(series);
                }
            }
            TRY_UNIT(disk_->write(batch));
            for (MemSeries* series : going) {
                limits_.release(series->labels());
                shard.remove(*series, index_);
                ++archived;
            }
        }
    }
    metrics_.series.add(-static_cast<double>(archived));
    return Unit{};
}

// The start of the oldest day that may stay by retention_bytes; kNever if all may. Today stays whatever it takes, and
// health() says so then.
std::int64_t StoreImpl::cutoff_for_size(std::int64_t now) {
    if (options_.retention_bytes == 0) {
        return kNever;
    }
    const auto days = disk_->days(rollup_cutoff_.load(), now);
    std::uint64_t used = disk_->bytes_besides_chunks() + wal_->bytes();
    for (const auto& [day, bytes] : days) {
        used += bytes;
    }
    std::int64_t cutoff = kNever;
    for (const auto& [day, bytes] : days) {
        if (used <= options_.retention_bytes || day >= partition_of(now)) {
            break;
        }
        used -= bytes;
        cutoff = (day + 1) * kPartitionMillis;
    }
    past_size_.store(used > options_.retention_bytes);
    if (cutoff != kNever) {
        log::warn("metrics store: days dropped by retention_bytes",
                  {{"before", format_timestamp(from_millis(cutoff))}});
    }
    return cutoff;
}

// Series whose newest sample is past retention go whole; chunks go by the day.
Result<Unit> StoreImpl::retire(std::int64_t now, std::int64_t age_now) {
    const std::int64_t by_size = cutoff_for_size(now);
    const std::int64_t raw_cutoff = std::max(wait_for_rollups(age_now, age_now - options_.retention.count()), by_size);
    // A clock that was set back after a day ahead: samples of today must not be past retention.
    const bool set_back = age_now < retired_at_;
    if (raw_cutoff > cutoff_.load() || set_back) {
        cutoff_.store(raw_cutoff);
    }
    retired_at_ = age_now;
    TRY_UNIT(drop_old_rollups(age_now, by_size));
    const std::int64_t cutoff = rollup_cutoff_.load();  // Whatever is left of a series.
    tombstones_.drop_before(cutoff);
    for (auto& shard : shards_) {
        std::uint64_t from = 0;
        std::uint64_t end = 1;
        for (; from < end; from += kSlice) {
            DiskBatch batch = disk_->batch();
            std::size_t removed = 0;
            {
                MutexLock lock(shard->mutex());
                end = shard->slots_end();
                for (std::uint64_t slot = from; slot < std::min(from + kSlice, end); ++slot) {
                    MemSeries* series = shard->at_slot(slot);
                    if (series != nullptr && series->has_samples() && series->last_time() < cutoff) {
                        batch.remove_series(series->id);
                        tombstones_.remove(series->id);
                        limits_.release(series->labels());
                        shard->remove(*series, index_);
                        ++removed;
                    }
                }
            }
            if (removed > 0) {
                metrics_.series.add(-static_cast<double>(removed));
                TRY_UNIT(disk_->write(batch));
            }
        }
    }
    const auto dropped = disk_->archive().drop_before(cutoff);
    if (!dropped && dropped.error().code != Errc::Corruption) {
        return dropped.error();
    }
    if (!dropped) {
        note_damage("chunks: archived series", dropped.error().message);
    } else {
        for (const SeriesId id : *dropped) {
            tombstones_.remove(id);
        }
    }
    return disk_->drop_before(raw_cutoff);
}

Result<Unit> StoreImpl::maintain(Timestamp now, Timestamp age_now) {
    const auto started = std::chrono::steady_clock::now();
    const std::int64_t millis = to_millis(now);
    MutexLock lock(maintenance_);
    if (auto recovered = recover(); !recovered) {
        return fail(std::move(recovered).error());
    }
    TRY_UNIT(writable());
    disk_->spare_damaged();
    if (last_checkpoint_ == kNever) {
        last_checkpoint_ = millis;
    }
    if (auto flushed = flush_sealed(); !flushed) {
        return fail(std::move(flushed).error());
    }
    if (auto rolled = roll_up(millis); !rolled) {
        return fail(std::move(rolled).error());
    }
    if (is_due(millis, last_retire_, kRetireEveryMillis)) {
        if (auto retired = retire(millis, to_millis(age_now)); !retired) {
            return fail(std::move(retired).error());
        }
        last_retire_ = millis;
    }
    const bool due = checkpoint_due_ || is_due(millis, last_checkpoint_, options_.checkpoint_interval.count());
    if (due || wal_->bytes() >= options_.checkpoint_bytes) {
        if (auto done = checkpoint(millis); !done) {
            return fail(std::move(done).error());
        }
        last_checkpoint_ = millis;
        checkpoint_due_ = false;
    }
    metrics_.damaged.add(static_cast<double>(damage_->count() - damage_counted_));
    damage_counted_ = damage_->count();
    metrics_.disk_bytes.set(static_cast<double>(disk_->bytes()));
    metrics_.log_bytes.set(static_cast<double>(wal_->bytes()));
    metrics_.maintain_seconds.observe(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    return Unit{};
}

Result<Unit> StoreImpl::settle(Timestamp now, Duration limit) {
    MutexLock lock(maintenance_);
    TRY_UNIT(writable());
    const auto deadline = std::chrono::steady_clock::now() + limit;
    if (auto done = checkpoint(to_millis(now), deadline); !done) {
        return fail(std::move(done).error());
    }
    if (std::chrono::steady_clock::now() >= deadline) return Unit{};  // Whatever opens it next compacts as it goes.
    return disk_->compact_heads();
}

}  // namespace stoker::tsdb
