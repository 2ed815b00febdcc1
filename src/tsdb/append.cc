// Taking samples: into the head under each shard's lock, into the log in the same order, and out once that is written.
#include <algorithm>
#include <chrono>
#include <limits>

#include "tsdb/entries.h"
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

// A sample on its way into the head, ready to be stored: a histogram's value is its marker.
struct StoreImpl::Item {
    const Labels* labels;  // May be null where there is a ref.
    SeriesRef* ref;        // Null for callers without one.
    Sample sample;
    const HistogramPtr* histogram;
    std::int64_t start_time;
    std::uint64_t hash;  // Of the labels; 0 while a ref makes it needless.
    std::size_t index;   // In the caller's batch.

    bool has_ref() const { return ref != nullptr && *ref != 0; }
};

namespace {

const HistogramPtr kNumber;

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

void refuse(AppendOutcome& outcome, std::size_t index, Refusal why, std::string detail = {}) {
    switch (why) {
        case Refusal::Conflict:
        case Refusal::TooOld:
            ++outcome.out_of_order;
            break;
        case Refusal::OverLimit:
            ++outcome.over_limit;
            break;
        case Refusal::TooNew:
        case Refusal::Invalid:
            ++outcome.invalid;
            break;
    }
    outcome.refused.push_back({index, why, std::move(detail)});
}

// The histogram of a counter of the same buckets that has counted nothing yet.
HistogramPtr nothing_counted(const Histogram& like) {
    auto zero = std::make_shared<Histogram>(like);
    zero->reset_hint = Histogram::ResetHint::Unknown;
    zero->zero_count = zero->count = zero->sum = 0;
    std::fill(zero->positive.begin(), zero->positive.end(), 0.0);
    std::fill(zero->negative.begin(), zero->negative.end(), 0.0);
    return zero;
}

}  // namespace

// Makes ready what came from outside; false if it was refused.
bool StoreImpl::prepare(Item& item, std::int64_t latest, AppendOutcome& outcome) const {
    if (!item.has_ref() && (item.labels == nullptr || item.labels->empty())) {
        refuse(outcome, item.index, Refusal::Invalid, "no labels");
        return false;
    }
    if (item.sample.time > latest) {
        refuse(outcome, item.index, Refusal::TooNew);
        return false;
    }
    if (*item.histogram == nullptr) {
        if (is_histogram(item.sample.value)) {
            item.sample.value = std::numeric_limits<double>::quiet_NaN();
        }
    } else if ((*item.histogram)->stale()) {
        item.sample.value = stale_marker();
        item.histogram = &kNumber;
    } else if (auto valid = validate(**item.histogram); !valid) {
        refuse(outcome, item.index, Refusal::Invalid, std::move(valid).error().message);
        return false;
    } else {
        item.sample.value = histogram_marker();
    }
    item.hash = item.has_ref() ? 0 : item.labels->hash();
    return true;
}

std::int64_t StoreImpl::latest_time() const {
    return options_.future_window.count() == 0 ? std::numeric_limits<std::int64_t>::max()
                                               : to_millis(now() + options_.future_window);
}

Result<AppendOutcome> StoreImpl::append(const std::vector<SeriesSample>& batch) {
    const std::int64_t latest = latest_time();
    AppendOutcome outcome;
    std::vector<Item> items;
    items.reserve(batch.size());
    for (const SeriesSample& one : batch) {
        const auto index = static_cast<std::size_t>(&one - batch.data());
        Item item{&one.labels, nullptr, one.sample, &one.histogram, one.start_time, 0, index};
        if (prepare(item, latest, outcome)) {
            items.push_back(item);
        }
    }
    return append_items(items, std::move(outcome));
}

Result<AppendOutcome> StoreImpl::append_cached(std::vector<CachedSample>& batch) {
    const std::int64_t latest = latest_time();
    AppendOutcome outcome;
    std::vector<Item> items;
    items.reserve(batch.size());
    for (CachedSample& one : batch) {
        const auto index = static_cast<std::size_t>(&one - batch.data());
        Item item{one.labels, &one.ref, one.sample, &one.histogram, one.start_time, 0, index};
        if (prepare(item, latest, outcome)) {
            items.push_back(item);
        }
    }
    return append_items(items, std::move(outcome));
}

Result<AppendOutcome> StoreImpl::append_items(std::span<Item> items, AppendOutcome outcome) {
    TRY_UNIT(writable());
    const auto started = std::chrono::steady_clock::now();
    ByShard groups;
    group(items.size(), groups, [&](std::size_t i) {
        const Item& item = items[i];
        return item.has_ref() ? shard_of_ref(*item.ref) : shard_of_hash(item.hash);
    });
    EntryWriter entries;
    TimeRange taken;
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
            append_one(shard, items[i], entries, taken, outcome);
        }
        if (!entries.empty()) {
            // Still under the shard's lock: the log must have each series in the order of its head.
            ticket = wal_->enqueue(entries.finish());
        }
    }
    note_times(taken);
    if (ticket != 0) {
        TRY_UNIT(commit_log(ticket));
    }
    const auto by_index = [](const Refused& a, const Refused& b) { return a.index < b.index; };
    std::sort(outcome.refused.begin(), outcome.refused.end(), by_index);
    std::sort(outcome.gone.begin(), outcome.gone.end());
    explain_limits(items, outcome);
    count(outcome);
    metrics_.append_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    return outcome;
}

void StoreImpl::append_one(Shard& shard, Item& item, EntryWriter& entries, TimeRange& taken, AppendOutcome& outcome) {
    if (item.sample.time < cutoff_.load(std::memory_order_relaxed)) {
        refuse(outcome, item.index, Refusal::TooOld, "past retention");
        return;
    }
    MemSeries* series = find_or_create(shard, item, entries, outcome);
    if (series == nullptr) {
        return;
    }
    if (item.start_time != 0) {
        append_start(shard, *series, item, entries, taken);
    }
    switch (shard.append(*series, item.sample, *item.histogram)) {
        case Verdict::Accepted:
            entries.add_sample(series->id, item.sample, *item.histogram, Arrival::InOrder);
            taken.add(item.sample.time);
            rollups_.note(series->id, item.sample.time);
            ++outcome.accepted;
            break;
        case Verdict::Duplicate:
            ++outcome.duplicates;
            break;
        case Verdict::Conflict:
            refuse(outcome, item.index, Refusal::Conflict);
            break;
        case Verdict::Behind:
            append_behind(shard, *series, item, entries, taken, outcome);
            break;
    }
}

// A counter that is known to have begun at a time without samples around it was zero then; without this, what it
// counted before its first sample would be lost to rate() and increase().
void StoreImpl::append_start(Shard& shard, MemSeries& series, const Item& item, EntryWriter& entries,
                             TimeRange& taken) {
    const std::int64_t start = item.start_time;
    const std::int64_t oldest =
        series.has_samples() ? series.last_time() + 1 : item.sample.time - options_.out_of_order_window.count();
    if (start < oldest || start >= item.sample.time || start < cutoff_.load(std::memory_order_relaxed)) {
        return;
    }
    const HistogramPtr zero = *item.histogram == nullptr ? nullptr : nothing_counted(**item.histogram);
    const Sample sample{start, zero == nullptr ? 0 : histogram_marker()};
    if (shard.append(series, sample, zero) == Verdict::Accepted) {
        entries.add_sample(series.id, sample, zero, Arrival::InOrder);
        taken.add(start);
        rollups_.note(series.id, start);
    }
}

void StoreImpl::append_behind(Shard& shard, MemSeries& series, const Item& item, EntryWriter& entries, TimeRange& taken,
                              AppendOutcome& outcome) {
    // A series that reaches into the future was written while the clock was ahead; the window then starts from now, so
    // that a clock set right again does not leave the series without samples until it has caught up.
    const std::int64_t newest = std::min(series.last_time(), to_millis(now()));
    if (item.sample.time < newest - options_.out_of_order_window.count()) {
        refuse(outcome, item.index, Refusal::TooOld, "behind the out-of-order window");
        return;
    }
    const Result<Verdict> verdict = append_late(shard, series, item.sample, *item.histogram);
    if (!verdict) {
        // What the series has there can't be read, so neither can it be said to be without a conflict.
        note_damage("series " + to_labels(series.labels()).text(), verdict.error().message);
        refuse(outcome, item.index, Refusal::Conflict, "the samples around it can't be read");
    } else if (*verdict == Verdict::Accepted) {
        entries.add_sample(series.id, item.sample, *item.histogram, Arrival::Late);
        taken.add(item.sample.time);
        rollups_.note(series.id, item.sample.time);
        ++outcome.accepted;
    } else if (*verdict == Verdict::Duplicate) {
        ++outcome.duplicates;
    } else {
        refuse(outcome, item.index, Refusal::Conflict);
    }
}

MemSeries* StoreImpl::find_or_create(Shard& shard, Item& item, EntryWriter& entries, AppendOutcome& outcome) {
    MemSeries* series = nullptr;
    if (item.has_ref()) {
        series = shard.find_ref(*item.ref);
        if (series != nullptr) {
            return series;
        }
        *item.ref = 0;
        if (item.labels == nullptr) {
            outcome.gone.push_back(item.index);
            return nullptr;
        }
        item.hash = item.labels->hash();
    }
    series = shard.find(item.hash, *item.labels);
    if (series == nullptr) {
        if (!limits_.admit(*item.labels)) {
            refuse(outcome, item.index, Refusal::OverLimit);  // explain_limits() says the rest, without the lock.
            return nullptr;
        }
        const SeriesId id = next_number_.fetch_add(1, std::memory_order_relaxed) * kShards + shard_of_hash(item.hash);
        series = &shard.create(id, item.hash, *item.labels, index_);
        entries.add_series(series->id, series->labels());
        metrics_.series.add(1);
    }
    if (item.ref != nullptr) {
        *item.ref = series->ref();
    }
    return series;
}

// REQUIRES: items and refusals ascend by index.
void StoreImpl::explain_limits(std::span<const Item> items, AppendOutcome& outcome) const {
    auto at = items.begin();
    for (Refused& refused : outcome.refused) {
        if (refused.why == Refusal::OverLimit) {
            at = std::find_if(at, items.end(), [&](const Item& item) { return item.index == refused.index; });
            refused.detail = explain_limit(*at->labels);
        }
    }
}

void StoreImpl::note_times(const TimeRange& taken) {
    std::int64_t seen = newest_.load(std::memory_order_relaxed);
    while (taken.newest > seen && !newest_.compare_exchange_weak(seen, taken.newest, std::memory_order_relaxed)) {
    }
    seen = oldest_.load(std::memory_order_relaxed);
    while (taken.oldest < seen && !oldest_.compare_exchange_weak(seen, taken.oldest, std::memory_order_relaxed)) {
    }
}

void StoreImpl::count(const AppendOutcome& outcome) {
    appended_.fetch_add(outcome.accepted, std::memory_order_relaxed);
    metrics_.appended.add(static_cast<double>(outcome.accepted));
    metrics_.duplicates.add(static_cast<double>(outcome.duplicates));
    metrics_.out_of_order.add(static_cast<double>(outcome.out_of_order));
    metrics_.over_limit.add(static_cast<double>(outcome.over_limit));
    metrics_.invalid.add(static_cast<double>(outcome.invalid));
}

}  // namespace stoker::tsdb
