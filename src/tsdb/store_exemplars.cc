// Exemplars and metadata of the store: taken, logged, found again, and written at a checkpoint.
#include <algorithm>
#include <map>

#include "tsdb/bytes.h"
#include "tsdb/matcher.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

constexpr std::string_view kRollupState = "rollups";

}  // namespace

Result<std::size_t> StoreImpl::append_exemplars(const std::vector<SeriesExemplars>& batch) {
    TRY_UNIT(writable());
    std::size_t stored = 0;
    std::size_t taken = 0;
    std::string log;
    for (const SeriesExemplars& one : batch) {
        const std::uint64_t hash = one.series.hash();
        Shard& shard = *shards_[shard_of_hash(hash)];
        MutexLock lock(shard.mutex());
        // The series is in the log by now: it was enqueued under this lock when it was made.
        const MemSeries* series = shard.find(hash, one.series);
        if (series == nullptr) {
            continue;
        }
        for (const Exemplar& exemplar : one.exemplars) {
            const ExemplarRing::Verdict verdict = exemplars_.add(series->id, exemplar);
            taken += verdict == ExemplarRing::Verdict::TooOld ? 0 : 1;
            if (verdict == ExemplarRing::Verdict::Stored) {
                put_record(log, RecordKind::Exemplar, encode_exemplar(series->id, exemplar));
                ++stored;
            }
        }
    }
    if (!log.empty()) {
        TRY_UNIT(commit_log(wal_->enqueue(log)));
        metrics_.exemplars.add(static_cast<double>(stored));
    }
    return taken;
}

Result<std::vector<SeriesExemplars>> StoreImpl::exemplars(const std::vector<std::vector<Matcher>>& selectors,
                                                          std::int64_t start, std::int64_t end) const {
    std::map<Labels, std::vector<Exemplar>> found;
    for (const auto& matchers : selectors) {
        TRY_UNIT(each_matching(matchers, [&](const MemSeries& series) {
            std::vector<Exemplar> of_series = exemplars_.of(series.id, start, end);
            if (!of_series.empty()) {
                found.try_emplace(to_labels(series.labels()), std::move(of_series));
            }
        }));
    }
    std::vector<SeriesExemplars> result;
    result.reserve(found.size());
    for (auto& [labels, exemplars] : found) {
        result.push_back({labels, std::move(exemplars)});
    }
    return result;
}

void StoreImpl::set_metadata(const std::vector<FamilyMetadata>& batch) {
    for (const FamilyMetadata& family : batch) {
        metadata_.set(family);
    }
}

std::vector<FamilyMetadata> StoreImpl::metadata(const std::string& family) const {
    return metadata_.get(family);
}

// The part of a checkpoint that is not series: it must be written before the log's segments go.
Result<Unit> StoreImpl::save_meta() {
    DiskBatch batch = disk_->batch();
    for (const FamilyMetadata& family : metadata_.take_changed()) {
        batch.put_meta(meta_key(MetaKind::Metadata, family.family), encode_metadata(family.metadata));
    }
    // One by one, as few as they are: see Disk::drop_range().
    const std::uint64_t oldest = exemplars_.oldest();
    for (; exemplars_dropped_ < std::min(oldest, exemplars_saved_); ++exemplars_dropped_) {
        batch.remove_meta(meta_key(MetaKind::Exemplar, exemplars_dropped_));
    }
    exemplars_dropped_ = std::max(exemplars_dropped_, oldest);
    exemplars_saved_ =
        exemplars_.each_since(exemplars_saved_, [&](std::uint64_t number, SeriesId id, const Exemplar& exemplar) {
            batch.put_meta(meta_key(MetaKind::Exemplar, number), encode_exemplar(id, exemplar));
        });
    save_tombstones(batch);
    batch.put_meta(meta_key(MetaKind::State, kRollupState), rollups_.encode());
    return disk_->write(batch);
}

bool StoreImpl::replay_record(RecordKind kind, std::string_view body,
                              const std::function<SeriesId(SeriesId)>& resolve) {
    switch (kind) {
        case RecordKind::Exemplar: {
            SeriesId id = 0;
            const auto exemplar = decode_exemplar(body, id);
            if (exemplar) {
                exemplars_.add(resolve(id), *exemplar);
            }
            return exemplar.has_value();
        }
        case RecordKind::Tombstone:
            return replay_tombstone(body, resolve);
    }
    return false;
}

Result<Unit> StoreImpl::load_meta() {
    const auto on_damage = [this](const std::string& where, const std::string& what) { note_damage(where, what); };
    TRY_UNIT(load_tombstones(on_damage));
    const auto on_state = [this](std::string_view key, std::string_view value) {
        return key == kRollupState ? rollups_.decode(value) : Result<Unit>(Unit{});
    };
    TRY_UNIT(disk_->each_meta(MetaKind::State, on_state, on_damage));
    const auto on_metadata = [this](std::string_view key, std::string_view value) -> Result<Unit> {
        TRY(auto metadata, decode_metadata(value));
        metadata_.restore(std::string(key), std::move(metadata));
        return Unit{};
    };
    TRY_UNIT(disk_->each_meta(MetaKind::Metadata, on_metadata, on_damage));
    std::uint64_t first = 0;
    std::uint64_t next = 0;
    const auto on_exemplar = [&](std::string_view key, std::string_view value) -> Result<Unit> {
        SeriesId id = 0;
        TRY(const auto exemplar, decode_exemplar(value, id));
        if (key.size() != sizeof(std::uint64_t)) {
            return Error{Errc::Corruption, "malformed key"};
        }
        next = get_ordered(key.data()) + 1;
        first = first == 0 ? next - 1 : first;
        exemplars_.restore(next - 1, id, exemplar);
        return Unit{};
    };
    TRY_UNIT(disk_->each_meta(MetaKind::Exemplar, on_exemplar, on_damage));
    MutexLock lock(maintenance_);
    exemplars_saved_ = next;
    exemplars_dropped_ = first;
    return Unit{};
}

}  // namespace stoker::tsdb
