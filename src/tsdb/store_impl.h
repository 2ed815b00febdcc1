// The Store behind Store::open(): shards and index in memory, the log, and the disk.
//
// append.cc, select.cc, maintain.cc and open.cc each hold one part of it. Locks are taken in this order: maintenance_,
// a shard's, then the index's or the log's; never two shards at once.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tsdb/damage.h"
#include "tsdb/disk.h"
#include "tsdb/exemplars.h"
#include "tsdb/index.h"
#include "tsdb/limits.h"
#include "tsdb/metadata.h"
#include "tsdb/records.h"
#include "tsdb/rollup_book.h"
#include "tsdb/select_cache.h"
#include "tsdb/shard.h"
#include "tsdb/store.h"
#include "tsdb/tombstones.h"
#include "tsdb/wal.h"

namespace stoker::tsdb {

struct StoreMetrics {
    explicit StoreMetrics(metrics::Registry& registry);

    metrics::Gauge& series;
    metrics::Gauge& disk_bytes;
    metrics::Gauge& log_bytes;
    metrics::Gauge& healthy;
    metrics::Counter& appended;
    metrics::Counter& duplicates;
    metrics::Counter& out_of_order;
    metrics::Counter& over_limit;
    metrics::Counter& invalid;
    metrics::Counter& chunks_written;
    metrics::Counter& chunk_bytes;
    metrics::Counter& checkpoints;
    metrics::Counter& damaged;
    metrics::Counter& exemplars;
    metrics::Counter& deleted;
    metrics::Counter& rollups;
    metrics::Histogram& append_seconds;
    metrics::Histogram& maintain_seconds;
    metrics::Histogram& select_seconds;
};

// By day, for each of kRollupLevels: of which days there are to be rollups, and from which on they are kept.
struct RollupPlan {
    std::array<std::int64_t, kRollupLevels.size()> made_before{};
    std::array<std::int64_t, kRollupLevels.size()> kept_from{};
};

class StoreImpl final : public Store {
public:
    StoreImpl(StoreOptions options, metrics::Registry& registry);

    // Loads what the directory holds; call once, before anything else.
    Result<Unit> load(const std::string& directory);

    Result<AppendOutcome> append(const std::vector<SeriesSample>& batch) override;
    Result<AppendOutcome> append_cached(std::vector<CachedSample>& batch) override;
    Result<std::size_t> append_exemplars(const std::vector<SeriesExemplars>& batch) override;
    Result<std::vector<SeriesExemplars>> exemplars(const std::vector<std::vector<Matcher>>& selectors,
                                                   std::int64_t start, std::int64_t end) const override;
    void set_metadata(const std::vector<FamilyMetadata>& batch) override;
    std::vector<FamilyMetadata> metadata(const std::string& family) const override;
    Result<std::size_t> delete_series(const std::vector<Matcher>& matchers, std::int64_t start,
                                      std::int64_t end) override;
    Result<Unit> clean_tombstones() override;
    Result<Unit> snapshot(const std::string& directory) override;
    Cardinality cardinality(const std::vector<Matcher>& matchers, std::size_t most) const override;
    std::vector<Damage> damage() const override;
    Result<Unit> maintain(Timestamp now, Timestamp age_now) override;
    Result<Unit> settle(Timestamp now, Duration limit) override;
    StoreStats stats() const override;
    Result<Unit> health() const override;

    Result<std::vector<std::shared_ptr<Series>>> select(const std::vector<Matcher>& matchers, std::int64_t start,
                                                        std::int64_t end, std::size_t series_limit) const override;
    Result<std::vector<std::shared_ptr<Series>>> select_for_rollups(const std::vector<Matcher>& matchers,
                                                                    std::int64_t start, std::int64_t end,
                                                                    std::size_t series_limit) const override;
    Result<std::vector<std::string>> label_names(const std::vector<Matcher>& matchers, std::int64_t start,
                                                 std::int64_t end) const override;
    Result<std::vector<std::string>> label_values(const std::string& name, const std::vector<Matcher>& matchers,
                                                  std::int64_t start, std::int64_t end) const override;

private:
    struct Item;      // A sample on its way into the head.
    struct FlushJob;  // What maintain() takes from one series.

    enum class ReadAhead : std::uint8_t { Chunks, Nothing };
    Result<std::vector<std::shared_ptr<Series>>> select(const std::vector<Matcher>& matchers, std::int64_t start,
                                                        std::int64_t end, std::size_t series_limit,
                                                        ReadAhead ahead) const;

    // What a batch has touched.
    struct TimeRange {
        std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
        std::int64_t newest = kNever;
        void add(std::int64_t time) {
            oldest = std::min(oldest, time);
            newest = std::max(newest, time);
        }
    };

    bool prepare(Item& item, std::int64_t latest, AppendOutcome& outcome) const;
    std::int64_t latest_time() const;  // By the wall clock; samples after it are refused.
    Result<AppendOutcome> append_items(std::span<Item> items, AppendOutcome outcome);
    void append_one(Shard& shard, Item& item, class EntryWriter& entries, TimeRange& taken, AppendOutcome& outcome)
        REQUIRES_LOCK(shard.mutex());
    void append_start(Shard& shard, MemSeries& series, const Item& item, class EntryWriter& entries, TimeRange& taken)
        REQUIRES_LOCK(shard.mutex());
    void append_behind(Shard& shard, MemSeries& series, const Item& item, class EntryWriter& entries, TimeRange& taken,
                       AppendOutcome& outcome) REQUIRES_LOCK(shard.mutex());
    MemSeries* find_or_create(Shard& shard, Item& item, class EntryWriter& entries, AppendOutcome& outcome)
        REQUIRES_LOCK(shard.mutex());
    void explain_limits(std::span<const Item> items, AppendOutcome& outcome) const;
    void note_times(const TimeRange& taken);
    // The sample of that time, if the series has one.
    Result<SampleList> find_sample(const MemSeries& series, std::int64_t time) const;
    // For a sample that Shard::append() found Behind: Accepted, Duplicate or Conflict.
    Result<Verdict> append_late(Shard& shard, MemSeries& series, Sample sample, const HistogramPtr& histogram)
        REQUIRES_LOCK(shard.mutex());
    void count(const AppendOutcome& outcome);

    Result<Unit> load_disk();
    Result<Unit> load_around_damage();
    Result<Unit> load_log(const std::string& directory);
    void replay_late(Shard& shard, MemSeries& series, Sample sample, const HistogramPtr& histogram)
        REQUIRES_LOCK(shard.mutex());
    void note_loaded();

    Result<Unit> flush_sealed();
    // Seals what is idle; until `seal_until` also what is not.
    Result<Unit> checkpoint(std::int64_t now, SteadyTime seal_until = {}) REQUIRES_LOCK(maintenance_);
    std::int64_t idle_millis() const;
    Result<Unit> archive(const std::vector<SeriesId>& ids);
    Result<Unit> retire(std::int64_t now, std::int64_t age_now) REQUIRES_LOCK(maintenance_);
    std::int64_t cutoff_for_size(std::int64_t now);
    // Rollups: rollup_job.cc.
    RollupPlan rollup_plan(std::int64_t now) const;
    Result<Unit> roll_up(std::int64_t now) REQUIRES_LOCK(maintenance_);
    Result<bool> roll_day(RollupLevel level, std::int64_t made_before, SteadyTime until) REQUIRES_LOCK(maintenance_);
    Result<Unit> renew_rollups(SteadyTime until) REQUIRES_LOCK(maintenance_);
    void note_memory(std::int64_t from, std::int64_t end);
    std::shared_ptr<class StoredSeries> series_of_day(SeriesId id, std::int64_t day);
    Result<Unit> clean_rollups(SeriesId id, const TimeIntervals& hidden) REQUIRES_LOCK(maintenance_);
    Result<Unit> drop_old_rollups(std::int64_t now, std::int64_t by_size) REQUIRES_LOCK(maintenance_);
    std::int64_t wait_for_rollups(std::int64_t now, std::int64_t cutoff) REQUIRES_LOCK(maintenance_);
    // Up to this time there are rollups and no samples; kNever if nowhere.
    std::int64_t raw_since() const;

    Result<Unit> write_jobs(Shard& shard, std::span<FlushJob> jobs);
    Result<Unit> write_late(DiskBatch& batch, SeriesId id, const std::vector<SealedChunk>& chunks);
    static void give_back(std::span<const FlushJob> jobs);
    static FlushJob take_job(MemSeries& series, bool with_head);

    // The parts of select().
    bool may_show(const MemSeries& series, std::int64_t start, std::int64_t end) const;
    Result<std::shared_ptr<const SelectedSeries>> find_series(const std::vector<Matcher>& matchers) const;
    Result<std::vector<class StoredSeries*>> take_series(const SelectedSeries& known, std::int64_t start,
                                                         std::size_t series_limit, class Selection& selection) const;
    Result<Unit> add_archived(const std::vector<Matcher>& matchers, std::int64_t start, std::size_t series_limit,
                              class Selection& found) const;
    // Visits archived series that match and may have samples in the range. REQUIRES: no shard's lock is held.
    Result<Unit> each_archived(const std::vector<Matcher>& matchers, std::int64_t start, std::int64_t end,
                               const Archive::Visit& visit) const;

    // Whether no sample lies outside of the range.
    bool covers_all(std::int64_t start, std::int64_t end) const;
    std::vector<std::string> or_damage(Result<std::vector<std::string>> found) const;

    // Visits series that match, each under its shard's lock, whatever times they have.
    Result<Unit> each_matching(const std::vector<Matcher>& matchers,
                               const std::function<void(const MemSeries&)>& visit) const;

    // Metadata and exemplars, to and from the disk.
    Result<Unit> save_meta() REQUIRES_LOCK(maintenance_);
    Result<Unit> load_meta();
    // False if the body is malformed. `resolve` gives the id that a series of the log has now.
    bool replay_record(RecordKind kind, std::string_view body, const std::function<SeriesId(SeriesId)>& resolve);

    // Tombstones, to and from the log and the disk.
    bool replay_tombstone(std::string_view body, const std::function<SeriesId(SeriesId)>& resolve);
    Result<Unit> copy_tombstones() const;
    Result<Unit> load_tombstones_copy();
    Result<Unit> clean_all() REQUIRES_LOCK(maintenance_);
    void save_tombstones(DiskBatch& batch);
    Result<Unit> load_tombstones(const DamageVisitor& on_damage);

    // Which limit keeps a series with these labels out, and what grows there. REQUIRES: no shard's lock is held.
    std::string explain_limit(const Labels& labels) const;
    std::string largest_labels(const std::vector<Matcher>& matchers) const;

    Result<Unit> writable() const;                  // Whether appends may go on.
    Result<Unit> commit_log(std::uint64_t ticket);  // Waits for the log; after a failure the store is read-only.
    Result<Unit> fail(Error error);                 // Makes the store read-only.
    Result<Unit> write_snapshot(const std::filesystem::path& directory) REQUIRES_LOCK(maintenance_);
    Result<Unit> recover() REQUIRES_LOCK(maintenance_);  // Undoes fail() if space was all that lacked.
    void note_damage(const std::string& where, const std::string& what) const;

    const StoreOptions options_;
    std::string directory_;
    mutable StoreMetrics metrics_;
    Index index_;
    mutable SelectCache select_cache_;
    std::array<std::unique_ptr<Shard>, kShards> shards_;
    std::shared_ptr<Disk> disk_;
    std::unique_ptr<Wal> wal_;
    SeriesLimits limits_;
    mutable LimitTexts limit_texts_;
    MetadataBook metadata_;
    ExemplarRing exemplars_;
    Tombstones tombstones_;
    RollupBook rollups_;
    const std::shared_ptr<DamageLog> damage_ = std::make_shared<DamageLog>();

    std::atomic<SeriesId> next_number_{1};  // So that no id is 0.
    std::atomic<std::uint64_t> appended_{0};
    std::atomic<std::int64_t> oldest_;
    std::atomic<std::int64_t> newest_;
    std::atomic<std::int64_t> cutoff_;  // Samples before are past retention, whether or not they are gone yet.

    std::atomic<std::int64_t> rollup_cutoff_;  // Nor rollups before this: never after cutoff_.

    std::atomic<bool> past_size_{false};  // retention_bytes can't be held: only today is left.
    std::atomic<bool> failed_{false};
    mutable Mutex failure_mutex_;
    std::optional<Error> failure_ GUARDED_BY(failure_mutex_);

    Mutex maintenance_;
    std::int64_t last_checkpoint_ GUARDED_BY(maintenance_);
    std::int64_t last_retire_ GUARDED_BY(maintenance_);
    std::int64_t retired_at_ GUARDED_BY(maintenance_) = kNever;    // By the clock that ages are counted by.
    bool rollups_behind_ GUARDED_BY(maintenance_) = false;         // There are more to make than time was for.
    std::int64_t behind_since_ GUARDED_BY(maintenance_) = kNever;  // And retention waits for them since then.
    std::size_t damage_counted_ GUARDED_BY(maintenance_) = 0;
    bool checkpoint_due_ GUARDED_BY(maintenance_) = false;
    std::uint64_t exemplars_saved_ GUARDED_BY(maintenance_) = 0;    // Numbers below are on disk.
    std::uint64_t exemplars_dropped_ GUARDED_BY(maintenance_) = 0;  // Numbers below have left it.
};

}  // namespace stoker::tsdb
