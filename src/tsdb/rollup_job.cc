// How rollups come to be: maintain() makes them of days that are over (docs/decisions/007).
//
// A day's chunks are read in the order they lie on disk, a slice of time at each call. What that would miss or get
// wrong - samples still in memory, late ones, deletions, damage - is read as a query reads it, series by series.
#include <algorithm>
#include <chrono>
#include <optional>

#include "tsdb/bytes.h"
#include "tsdb/rollup.h"
#include "tsdb/rollup_book.h"
#include "tsdb/selection.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

constexpr auto kSliceOfTime = std::chrono::milliseconds(200);
constexpr std::int64_t kLeastAge = 3600LL * 1000;                // Of a day that is over: then most of it is on disk.
constexpr std::int64_t kBeforeRetention = 2 * kPartitionMillis;  // Minutes are made so long before the samples go.
constexpr std::int64_t kMinutesTimesRetention = 4;               // And kept for so many times as long as samples.
constexpr std::size_t kBatchBytes = std::size_t{1} << 20;
constexpr std::size_t kNotesAtOnce = 1000;

constexpr std::int64_t day_start(std::int64_t day) {
    return day * kPartitionMillis;
}

// The rows of a series' day, empty if it has none there; no value if part of it can't be read.
using DayRows = std::optional<std::vector<RollupRow>>;

void put_rows(DiskBatch& batch, RollupLevel level, std::int64_t day, SeriesId id, const DayRows& rows) {
    if (!rows) {
        batch.put_rollups(level, day, id, {});
    } else if (rows->empty()) {
        batch.remove_rollups(level, day, id);
    } else {
        batch.put_rollups(level, day, id, encode_rollups(*rows, resolution_of(level)));
    }
}

DayRows rows_of(const Series& series, RollupLevel level) {
    RollupMaker maker(resolution_of(level));
    const auto walk = series.samples();
    for (SampleBlock block = walk->next_block(); !block.samples.empty(); block = walk->next_block()) {
        for (const Sample& sample : block.samples) {
            maker.add(sample);
        }
    }
    return walk->status() ? DayRows(maker.take()) : DayRows();
}

// Walks the series that have chunks of one day on disk, ascending by id.
class DayWalk {
public:
    DayWalk(std::shared_ptr<const Disk::View> view, std::int64_t day, SeriesId from)
        : view_(std::move(view)),
          day_(day),
          in_order_(view_->scan(ChunkFamily::InOrder)),
          late_(view_->scan(ChunkFamily::Late)) {
        std::string key;
        put_ordered(key, day);
        put_ordered(key, from);
        in_order_->Seek(key);
        late_->Seek(key);
    }

    // 0 at the end.
    SeriesId current() const { return std::min(id_at(*in_order_) - 1, id_at(*late_) - 1) + 1; }
    // If there is none of this day left: the next that has chunks; the last possible if none has.
    std::int64_t next_day() const { return std::min(day_at(*in_order_), day_at(*late_)); }
    Result<Unit> status() const {
        for (const auto* it : {in_order_.get(), late_.get()}) {
            if (!it->status().ok()) {
                return Error{it->status().IsCorruption() ? Errc::Corruption : Errc::Unavailable,
                             "read chunks: " + it->status().ToString()};
            }
        }
        return Unit{};
    }

    // Moves past the current series. False if its chunks are not simply one after the other.
    bool take(RollupLevel level, std::vector<RollupRow>& rows) {
        const SeriesId id = current();
        bool simple = id_at(*late_) != id;
        RollupMaker maker(resolution_of(level));
        std::int64_t last = std::numeric_limits<std::int64_t>::min();
        for (; id_at(*in_order_) == id; checked_next(*in_order_, view_->starts(ChunkFamily::InOrder))) {
            list_.clear();
            const std::string_view bytes(in_order_->value().data(), in_order_->value().size());
            simple = simple && read_chunk(bytes, list_) && list_.samples.front().time > last;
            if (simple) {
                for (const Sample& sample : list_.samples) {
                    maker.add(sample);
                }
                last = list_.samples.back().time;
            }
        }
        while (id_at(*late_) == id) {
            checked_next(*late_, view_->starts(ChunkFamily::Late));
        }
        rows = maker.take();
        return simple;
    }

private:
    // 0 if it is not in the day.
    SeriesId id_at(const rocksdb::Iterator& it) const {
        return it.Valid() && get_ordered_signed(it.key().data()) == day_ ? get_ordered(it.key().data() + 8) : 0;
    }
    static std::int64_t day_at(const rocksdb::Iterator& it) {
        return it.Valid() ? get_ordered_signed(it.key().data()) : std::numeric_limits<std::int64_t>::max();
    }

    const std::shared_ptr<const Disk::View> view_;
    const std::int64_t day_;
    const std::unique_ptr<rocksdb::Iterator> in_order_;
    const std::unique_ptr<rocksdb::Iterator> late_;
    SampleList list_;
};

}  // namespace

RollupPlan StoreImpl::rollup_plan(std::int64_t now) const {
    const std::int64_t settled = std::max(kLeastAge, options_.out_of_order_window.count());
    const std::int64_t retention = options_.retention.count();
    const std::int64_t kept = options_.rollup_retention.count();
    RollupPlan plan;
    plan.made_before[0] = partition_of(now - settled);
    plan.made_before[1] = partition_of(now - std::max(settled, retention - kBeforeRetention));
    const std::int64_t minutes = retention > kept / kMinutesTimesRetention ? kept : retention * kMinutesTimesRetention;
    plan.kept_from[0] = partition_of(now - kept);
    plan.kept_from[1] = partition_of(now - minutes);
    return plan;
}

// As a query would see it, deleted samples left out.
std::shared_ptr<StoredSeries> StoreImpl::series_of_day(SeriesId id, std::int64_t day) {
    const std::int64_t start = day_start(day);
    const std::int64_t end = day_start(day + 1) - 1;
    const auto selection = std::make_shared<Selection>(start, end, index_.pin());
    StoredSeries* result = nullptr;
    {
        Shard& shard = *shards_[shard_of_id(id)];
        MutexLock lock(shard.mutex());
        if (const MemSeries* series = shard.find(id)) {
            result = selection->add(*series);
        }
    }
    if (result == nullptr) {
        result = selection->add(ArchivedSeries{id, start, end, end, {}});
    }
    result->hide(tombstones_.of(id));
    if (result->on_disk()) {
        selection->load(disk_->view(), false);
    }
    return {selection, result};
}

// Series with samples of the days [from, end) that are not on disk.
void StoreImpl::note_memory(std::int64_t from, std::int64_t end) {
    constexpr std::uint64_t kAtOnce = 256;
    const auto note = [&](const MemSeries& series, std::int64_t time) {
        const std::int64_t day = partition_of(time);
        if (day >= from && day < end) {
            rollups_.note_day(series.id, day);
        }
    };
    const auto look = [&](const MemSeries& series) {
        for (const SealedChunk& chunk : series.sealed) {
            note(series, chunk.min_time);
        }
        if (!series.open.empty()) {
            note(series, series.open.min_time());
        }
        if (series.extra == nullptr) {
            return;
        }
        if (!series.extra->histograms.empty()) {
            note(series, series.extra->histograms.min_time());
        }
        for (const SealedChunk& chunk : series.extra->late_sealed) {
            note(series, chunk.min_time);
        }
        for (const Sample& sample : series.extra->late.samples) {
            note(series, sample.time);
        }
    };
    for (auto& shard : shards_) {
        std::uint64_t slots = 1;
        for (std::uint64_t at = 0; at < slots; at += kAtOnce) {
            MutexLock lock(shard->mutex());
            slots = shard->slots_end();
            for (std::uint64_t slot = at; slot < std::min(at + kAtOnce, slots); ++slot) {
                if (const MemSeries* series = shard->at_slot(slot)) {
                    look(*series);
                }
            }
        }
    }
}

// Those that late samples and deletions have left behind.
Result<Unit> StoreImpl::renew_rollups(SteadyTime until) {
    if (!rollups_.has_notes()) {
        return Unit{};
    }
    const std::int64_t oldest = partition_of(std::max(cutoff_.load(), std::numeric_limits<std::int64_t>::min() / 2));
    rollups_.forget_before(oldest);
    for (const StaleRollups& stale : rollups_.stale(kNotesAtOnce)) {
        DiskBatch batch = disk_->batch();
        bool ahead = false;  // The walk that is under way passes them over, and then they are made here.
        for (const RollupLevel level : kRollupLevels) {
            const RollupMark mark = rollups_.mark(level);
            ahead = ahead || (stale.day == mark.day && mark.id > 0 && stale.id >= mark.id);
            if (stale.day < mark.day || (stale.day == mark.day && stale.id < mark.id)) {
                put_rows(batch, level, stale.day, stale.id, rows_of(*series_of_day(stale.id, stale.day), level));
            }
        }
        if (!ahead) {
            TRY_UNIT(disk_->write(batch));
            rollups_.renewed(stale);
            metrics_.rollups.add();
        }
        if (std::chrono::steady_clock::now() >= until) {
            break;
        }
    }
    return Unit{};
}

// Goes on with the day at the mark. False if there is nothing to do for now.
Result<bool> StoreImpl::roll_day(RollupLevel level, std::int64_t made_before, SteadyTime until) {
    const RollupMark from = rollups_.mark(level);
    RollupMark at = from;
    const std::int64_t cutoff = cutoff_.load();
    if (const std::int64_t oldest = cutoff == kNever ? at.day : partition_of(cutoff); at.begun() && at.day < oldest) {
        at.id = 0;
        at.day = oldest;  // Nothing can be made of what is gone.
    }
    if (at.begun() && at.day >= made_before) {
        return false;
    }
    if (!at.begun()) {
        // The first time: from the oldest day there is. Before it there is nothing, which is as good as made.
        at.day = DayWalk(disk_->view(), std::numeric_limits<std::int64_t>::min(), 0).next_day();
        at.day = std::min(at.day, made_before);
        if (at.day == made_before) {
            return false;
        }
    }
    if (at.id == 0) {
        rollups_.reach(at.day + 1);
        note_memory(from.begun() ? at.day : std::numeric_limits<std::int64_t>::min(), at.day + 1);
    }
    const auto view = disk_->view();
    DayWalk walk(view, at.day, at.id);
    DiskBatch batch = disk_->batch();
    std::vector<RollupRow> rows;
    SeriesId id = walk.current();
    for (; id != 0 && walk.status() && std::chrono::steady_clock::now() < until && batch.bytes() < kBatchBytes;
         id = walk.current()) {
        const bool simple = walk.take(level, rows);
        at.id = id + 1;
        if (rollups_.is_noted(id, at.day)) {
            continue;
        }
        const bool whole = simple && tombstones_.of(id) == nullptr;
        put_rows(batch, level, at.day, id, whole ? DayRows(rows) : rows_of(*series_of_day(id, at.day), level));
        metrics_.rollups.add();
    }
    if (auto read = walk.status(); !read) {
        if (read.error().code != Errc::Corruption) {
            return read.error();
        }
        note_damage("chunks", read.error().message);
        rollups_.note_unreadable(at.day);
        id = 0;
    }
    TRY_UNIT(disk_->write(batch));
    if (id == 0) {
        at = {at.first, at.day + 1, 0};
    }
    rollups_.advance(level, from, at);
    return true;
}

Result<Unit> StoreImpl::roll_up(std::int64_t now) {
    if (options_.rollup_retention.count() <= 0) {
        rollups_.clear();
        return Unit{};
    }
    const SteadyTime until = std::chrono::steady_clock::now() + kSliceOfTime;
    TRY_UNIT(renew_rollups(until));
    const RollupPlan plan = rollup_plan(now);
    rollups_behind_ = true;
    bool more = true;
    for (std::size_t i = 0; i < kRollupLevels.size(); ++i) {
        for (more = true; more && std::chrono::steady_clock::now() < until;) {
            TRY(more, roll_day(kRollupLevels[i], plan.made_before[i], until));
        }
    }
    rollups_behind_ = more;
    return Unit{};
}

// `cutoff`, or where it was as long as rollups are behind, as after a long time without maintain(). Waits a day at
// most, so that a disk on which none can be made doesn't fill.
std::int64_t StoreImpl::wait_for_rollups(std::int64_t now, std::int64_t cutoff) {
    if (!rollups_behind_ || options_.rollup_retention <= options_.retention) {
        behind_since_ = kNever;
        return cutoff;
    }
    if (behind_since_ == kNever) {
        behind_since_ = now;
    }
    return now - behind_since_ < kPartitionMillis ? std::min(cutoff, cutoff_.load()) : cutoff;
}

// `by_size`: what retention_bytes demands, kNever if nothing. Series and tombstones are needed for as long as rollups
// are.
Result<Unit> StoreImpl::drop_old_rollups(std::int64_t now, std::int64_t by_size) {
    const bool kept = options_.rollup_retention > options_.retention;
    const std::int64_t cutoff = std::max(now - options_.rollup_retention.count(), by_size);
    rollup_cutoff_.store(std::max(rollup_cutoff_.load(), kept ? std::min(cutoff, cutoff_.load()) : cutoff_.load()));
    const RollupPlan plan = rollup_plan(now);
    for (std::size_t i = 0; i < kRollupLevels.size(); ++i) {
        const std::int64_t day =
            by_size == kNever ? plan.kept_from[i] : std::max(plan.kept_from[i], partition_of(by_size));
        rollups_.drop_before(kRollupLevels[i], day);
        TRY_UNIT(disk_->drop_rollups(kRollupLevels[i], day));
    }
    return Unit{};
}

std::int64_t StoreImpl::raw_since() const {
    const std::int64_t cutoff = cutoff_.load();
    if (cutoff == kNever || rollup_cutoff_.load() >= cutoff) {
        return kNever;
    }
    const std::int64_t rest = cutoff % kLongRollup;  // Between whole stretches: samples of this hour are still there.
    return cutoff - (rest < 0 ? rest + kLongRollup : rest);
}

// Rollups of what clean_tombstones() is about to erase: of samples that are gone the stretches go whole, others are
// made again.
Result<Unit> StoreImpl::clean_rollups(SeriesId id, const TimeIntervals& hidden) {
    const std::int64_t gone = partition_of(std::max(cutoff_.load(), std::numeric_limits<std::int64_t>::min() / 2));
    const auto view = disk_->view();
    DiskBatch batch = disk_->batch();
    for (const TimeInterval& interval : hidden) {
        const std::int64_t last = std::min(partition_of(interval.end), rollups_.mark(RollupLevel::Hours).day);
        for (std::int64_t day = std::max(partition_of(interval.start), rollups_.mark(RollupLevel::Hours).first);
             day <= last; ++day) {
            if (day >= gone) {
                rollups_.note_day(id, day);
                continue;
            }
            for (const RollupLevel level : kRollupLevels) {
                const auto value = view->rollups(level, day, id);
                auto rows = value && *value ? decode_rollups(**value, resolution_of(level))
                                            : Result<std::vector<RollupRow>>(std::vector<RollupRow>());
                if (!rows || rows->empty()) {
                    continue;
                }
                std::erase_if(*rows, [&](const RollupRow& row) {
                    return overlaps(hidden, {row.rollup.start + 1, row.rollup.end});
                });
                put_rows(batch, level, day, id, DayRows(*std::move(rows)));
            }
        }
    }
    return disk_->write(batch);
}

}  // namespace stoker::tsdb
