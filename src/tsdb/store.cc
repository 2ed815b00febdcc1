#include "tsdb/store.h"

#include <limits>

#include "base/log.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

std::vector<double> seconds_bounds() {
    return {1e-5, 5e-5, 1e-4, 5e-4, 1e-3, 5e-3, 0.01, 0.05, 0.1, 0.5, 1, 5, 10};
}

metrics::Histogram& seconds(metrics::Registry& registry, const std::string& name, const std::string& help) {
    return registry.histogram(name, help, {}, seconds_bounds()).with();
}

metrics::Counter& refused(metrics::Registry& registry, const std::string& reason) {
    return registry
        .counter("stoker_tsdb_samples_refused_total", "Samples that the metrics store did not take, by reason.",
                 {"reason"})
        .with({reason});
}

}  // namespace

StoreMetrics::StoreMetrics(metrics::Registry& registry)
    : series(registry.gauge("stoker_tsdb_series", "Series in the metrics store's head.").with()),
      disk_bytes(registry.gauge("stoker_tsdb_disk_bytes", "Size of the metrics store's chunk files.").with()),
      log_bytes(registry.gauge("stoker_tsdb_log_bytes", "Size of the metrics store's write-ahead log.").with()),
      healthy(registry.gauge("stoker_tsdb_healthy", "1 while the metrics store takes samples, 0 once it is read-only.")
                  .with()),
      appended(registry.counter("stoker_tsdb_samples_appended_total", "Samples that the metrics store took.").with()),
      duplicates(refused(registry, "duplicate")),
      out_of_order(refused(registry, "out_of_order")),
      over_limit(refused(registry, "series_limit")),
      invalid(refused(registry, "invalid")),
      chunks_written(registry.counter("stoker_tsdb_chunks_written_total", "Sealed chunks that went to disk.").with()),
      chunk_bytes(
          registry.counter("stoker_tsdb_chunk_bytes_total", "Bytes of sealed chunks that went to disk.").with()),
      checkpoints(
          registry.counter("stoker_tsdb_checkpoints_total", "Checkpoints after which the log was trimmed.").with()),
      damaged(registry.counter("stoker_tsdb_damaged_total", "Chunks and log frames found unreadable.").with()),
      exemplars(
          registry.counter("stoker_tsdb_exemplars_appended_total", "Exemplars that the metrics store took.").with()),
      deleted(registry.counter("stoker_tsdb_series_deleted_total", "Series in which samples were deleted by request.")
                  .with()),
      rollups(registry.counter("stoker_tsdb_rollups_made_total", "Days of series that rollups were made of.").with()),
      append_seconds(seconds(registry, "stoker_tsdb_append_seconds", "Time to take and log one batch of samples.")),
      maintain_seconds(seconds(registry, "stoker_tsdb_maintain_seconds", "Time of one round of maintenance.")),
      select_seconds(seconds(registry, "stoker_tsdb_select_seconds", "Time to find the series of one selector.")) {}

StoreImpl::StoreImpl(StoreOptions options, metrics::Registry& registry)
    : options_(options),
      metrics_(registry),
      limits_(options, registry),
      exemplars_(options.max_exemplars),
      oldest_(std::numeric_limits<std::int64_t>::max()),
      newest_(kNever),
      cutoff_(kNever),
      rollup_cutoff_(kNever),
      last_checkpoint_(kNever),
      last_retire_(kNever) {
    for (auto& shard : shards_) {
        shard = std::make_unique<Shard>();
    }
    metrics_.healthy.set(1);
}

Result<std::unique_ptr<Store>> Store::open(const std::string& directory, StoreOptions options,
                                           metrics::Registry& registry) {
    auto store = std::make_unique<StoreImpl>(options, registry);
    TRY_UNIT(store->load(directory));
    return std::unique_ptr<Store>(std::move(store));
}

StoreStats StoreImpl::stats() const {
    StoreStats stats;
    stats.series = limits_.series();
    stats.samples_appended = appended_.load();
    stats.label_pairs = index_.pairs();
    for (const auto& shard : shards_) {
        MutexLock lock(shard->mutex());
        for (std::uint64_t slot = 0; slot < shard->slots_end(); ++slot) {
            if (const MemSeries* series = shard->at_slot(slot)) {
                stats.head_chunks += series->sealed.size() + (series->open.empty() ? 0 : 1);
            }
        }
    }
    stats.bytes_on_disk = disk_->bytes() + wal_->bytes();
    if (newest_.load() != kNever) {
        stats.newest_time = newest_.load();
        stats.oldest_time = std::max(oldest_.load(), cutoff_.load());
    }
    return stats;
}

Result<Unit> StoreImpl::health() const {
    TRY_UNIT(writable());
    if (past_size_.load()) {
        return Error{Errc::ResourceExhausted, "metrics store: past retention_bytes with only today's samples left"};
    }
    if (!damage_->empty()) {
        return Error{Errc::Corruption, "metrics store: " + damage_->summary()};
    }
    return Unit{};
}

Result<Unit> StoreImpl::commit_log(std::uint64_t ticket) {
    if (auto written = wal_->commit(ticket); !written) {
        return fail(std::move(written).error());
    }
    return Unit{};
}

Result<Unit> StoreImpl::writable() const {
    if (failed_.load()) {
        MutexLock lock(failure_mutex_);
        if (!failure_) {
            return Unit{};  // Recovered between the look and the lock.
        }
        const bool full = failure_->code == Errc::ResourceExhausted;
        return Error{full ? Errc::Unavailable : failure_->code,
                     (full ? "metrics store is read-only until there is space: " : "metrics store is read-only: ") +
                         failure_->message};
    }
    return Unit{};
}

Result<Unit> StoreImpl::fail(Error error) {
    MutexLock lock(failure_mutex_);
    const bool full = error.code == Errc::ResourceExhausted;
    if (!failure_ || (failure_->code == Errc::ResourceExhausted && !full)) {
        log::error(full ? "metrics store is read-only until there is space" : "metrics store is read-only from now on",
                   {{"error", error.message}});
        failure_ = error;
        failed_.store(true);
        metrics_.healthy.set(0);
    }
    return Error{full ? Errc::Unavailable : error.code, std::move(error.message)};
}

// The log first: what waits there was enqueued in the order of the heads and must stay before all that follows.
Result<Unit> StoreImpl::recover() {
    {
        MutexLock lock(failure_mutex_);
        if (!failure_ || failure_->code != Errc::ResourceExhausted) {
            return Unit{};
        }
    }
    TRY_UNIT(wal_->retry());
    TRY_UNIT(disk_->resume());
    MutexLock lock(failure_mutex_);
    if (failure_->code == Errc::ResourceExhausted) {
        log::warn("metrics store takes samples again", {{"after", failure_->message}});
        failure_.reset();
        failed_.store(false);
        metrics_.healthy.set(1);
        checkpoint_due_ = true;
    }
    return Unit{};
}

std::string_view to_string(Refusal refusal) {
    switch (refusal) {
        case Refusal::Conflict:
            return "conflict";
        case Refusal::TooOld:
            return "too_old";
        case Refusal::TooNew:
            return "too_new";
        case Refusal::OverLimit:
            return "over_limit";
        case Refusal::Invalid:
            return "invalid";
    }
    return "unknown";
}

}  // namespace stoker::tsdb
