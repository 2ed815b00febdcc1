// Taking samples: into the head under each shard's lock, into the log in the same order, and out once that is written.
#include <algorithm>
#include <chrono>

#include "tsdb/entries.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

struct StoreImpl::Item {
    const Labels* labels;
    SeriesRef* ref;  // Null for callers without one.
    Sample sample;
    std::uint64_t hash;  // Of the labels; 0 while a ref makes it needless.
};

namespace {

void raise(std::atomic<std::int64_t>& highest, std::int64_t value) {
    std::int64_t seen = highest.load(std::memory_order_relaxed);
    while (value > seen && !highest.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
    }
}

void lower(std::atomic<std::int64_t>& lowest, std::int64_t value) {
    std::int64_t seen = lowest.load(std::memory_order_relaxed);
    while (value < seen && !lowest.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
    }
}

// The numbers 0..n-1 grouped by shard, in their order within each: shard s has [starts[s], starts[s + 1]).
struct ByShard {
    std::array<std::uint32_t, kShards + 1> starts{};
    std::vector<std::uint32_t> order;
};

template <typename ShardOf>
void group(std::size_t count, ByShard& groups, const ShardOf& shard_of) {
    groups.starts.fill(0);
    groups.order.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        ++groups.starts[shard_of(i) + 1];
    }
    for (std::size_t s = 0; s < kShards; ++s) {
        groups.starts[s + 1] += groups.starts[s];
    }
    auto next = groups.starts;
    for (std::size_t i = 0; i < count; ++i) {
        groups.order[next[shard_of(i)]++] = static_cast<std::uint32_t>(i);
    }
}

}  // namespace

Result<AppendOutcome> StoreImpl::append(const std::vector<SeriesSample>& batch) {
    std::vector<Item> items;
    items.reserve(batch.size());
    for (const SeriesSample& one : batch) {
        items.push_back({&one.labels, nullptr, one.sample, one.labels.hash()});
    }
    return append_items(items);
}

Result<AppendOutcome> StoreImpl::append_cached(std::vector<CachedSample>& batch) {
    std::vector<Item> items;
    items.reserve(batch.size());
    for (CachedSample& one : batch) {
        items.push_back({one.labels, &one.ref, one.sample, one.ref == 0 ? one.labels->hash() : 0});
    }
    return append_items(items);
}

Result<AppendOutcome> StoreImpl::append_items(std::span<Item> items) {
    TRY_UNIT(writable());
    const auto started = std::chrono::steady_clock::now();
    ByShard groups;
    group(items.size(), groups, [&](std::size_t i) {
        const Item& item = items[i];
        return item.ref != nullptr && *item.ref != 0 ? shard_of_ref(*item.ref) : shard_of_hash(item.hash);
    });
    AppendOutcome outcome;
    EntryWriter entries;
    std::uint64_t ticket = 0;
    for (std::size_t s = 0; s < kShards; ++s) {
        const auto mine = std::span<const std::uint32_t>(groups.order)
                              .subspan(groups.starts[s], groups.starts[s + 1] - groups.starts[s]);
        if (mine.empty()) {
            continue;
        }
        entries.clear();
        Shard& shard = *shards_[s];
        MutexLock lock(shard.mutex());
        for (const std::uint32_t i : mine) {
            const std::size_t over_limit = outcome.over_limit;
            append_one(shard, items[i], entries, outcome);
            if (outcome.over_limit != over_limit) {
                outcome.refused.push_back({i, Refusal::OverLimit, {}});
            }
        }
        if (!entries.empty()) {
            // Still under the shard's lock: the log must have each series in the order of its head.
            ticket = wal_->enqueue(entries.finish());
        }
    }
    if (ticket != 0) {
        if (auto written = wal_->commit(ticket); !written) {
            return std::move(fail(std::move(written).error())).error();
        }
    }
    for (Refused& refused : outcome.refused) {
        if (refused.why == Refusal::OverLimit) {
            refused.detail = explain_limit(*items[refused.index].labels);
        }
    }
    std::sort(outcome.refused.begin(), outcome.refused.end(),
              [](const Refused& a, const Refused& b) { return a.index < b.index; });
    count(outcome);
    metrics_.append_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    return outcome;
}

void StoreImpl::append_one(Shard& shard, Item& item, EntryWriter& entries, AppendOutcome& outcome) {
    MemSeries* series = find_or_create(shard, item, entries);
    if (series == nullptr) {
        ++outcome.over_limit;
        return;
    }
    switch (shard.append(*series, item.sample)) {
        case Verdict::Accepted:
            entries.add_sample(series->id, item.sample);
            raise(newest_, item.sample.time);
            lower(oldest_, item.sample.time);
            ++outcome.accepted;
            break;
        case Verdict::Duplicate:
            ++outcome.duplicates;
            break;
        case Verdict::OutOfOrder:
            ++outcome.out_of_order;
            break;
    }
}

MemSeries* StoreImpl::find_or_create(Shard& shard, Item& item, EntryWriter& entries) {
    MemSeries* series = nullptr;
    if (item.ref != nullptr && *item.ref != 0) {
        series = shard.find_ref(*item.ref);
        if (series != nullptr) {
            return series;
        }
        item.hash = item.labels->hash();
    }
    series = shard.find(item.hash, *item.labels);
    if (series == nullptr && limits_.admit(*item.labels)) {
        const SeriesId id = next_number_.fetch_add(1, std::memory_order_relaxed) * kShards + shard_of_hash(item.hash);
        series = &shard.create(id, item.hash, *item.labels, index_);
        entries.add_series(series->id, series->labels());
        metrics_.series.add(1);
    }
    if (item.ref != nullptr) {
        *item.ref = series == nullptr ? 0 : series->ref();
    }
    return series;
}

void StoreImpl::count(const AppendOutcome& outcome) {
    appended_.fetch_add(outcome.accepted, std::memory_order_relaxed);
    metrics_.appended.add(static_cast<double>(outcome.accepted));
    metrics_.duplicates.add(static_cast<double>(outcome.duplicates));
    metrics_.out_of_order.add(static_cast<double>(outcome.out_of_order));
    metrics_.over_limit.add(static_cast<double>(outcome.over_limit));
}

}  // namespace stoker::tsdb
