#include "tsdb/shard.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace stoker::tsdb {

Verdict MemSeries::append(Sample sample) {
    if (sample.time <= last_time()) {
        const bool same = sample.time == last_time() && has_samples() &&
                          std::bit_cast<std::uint64_t>(sample.value) == std::bit_cast<std::uint64_t>(open.last_value());
        return same ? Verdict::Duplicate : Verdict::OutOfOrder;
    }
    const bool full = open.count() >= kChunkSamples;
    if (full || (!open.empty() && partition_of(sample.time) != partition_of(open.min_time()))) {
        seal();
    }
    if (!has_samples()) {
        first_time = sample.time;
    }
    open.append(sample);
    changed = true;
    return Verdict::Accepted;
}

void MemSeries::seal() {
    sealed.push_back({open.min_time(), open.max_time(), std::make_shared<const std::string>(open.snapshot())});
    open = OpenChunk(Sample{open.max_time(), open.last_value()});
    changed = true;
}

std::string MemSeries::record() const {
    return encode_head(first_time, sealed.empty() ? disk_time : sealed.back().max_time, open);
}

void MemSeries::restore(HeadRecord head) {
    first_time = head.first_time;
    disk_time = head.disk_time;
    open = std::move(head.open);
}

Verdict Shard::append(MemSeries& series, Sample sample) {
    const bool had_sealed = !series.sealed.empty();
    const Verdict verdict = series.append(sample);
    if (!had_sealed && !series.sealed.empty()) {
        with_sealed_.push_back(series.id);
    }
    return verdict;
}

MemSeries* Shard::find(std::uint64_t hash, const Labels& labels) {
    const auto found = by_hash_.find(hash);
    MemSeries* series = found == by_hash_.end() ? nullptr : found->second;
    while (series != nullptr && !same_labels(series->labels(), labels)) {
        series = series->same_hash;
    }
    return series;
}

MemSeries& Shard::create(SeriesId id, std::uint64_t hash, const Labels& labels, Index& index) {
    auto owned = std::make_unique<MemSeries>();
    MemSeries& series = *owned;
    series.id = id;
    series.hash = hash;
    const auto refs = index.add(labels, id);
    series.label_refs = std::make_unique<LabelRef[]>(refs.size());
    std::copy(refs.begin(), refs.end(), series.label_refs.get());
    series.label_count = static_cast<std::uint32_t>(refs.size());
    MemSeries*& first = by_hash_[hash];
    series.same_hash = first;
    first = &series;
    const bool inserted = by_id_.try_emplace(id, &series).second;
    STOKER_CHECK(inserted, "an id is given once");
    if (free_slots_.empty()) {
        series.slot = static_cast<std::uint32_t>(slots_.size());
        slots_.push_back(std::move(owned));
    } else {
        series.slot = free_slots_.back();
        free_slots_.pop_back();
        slots_[series.slot] = std::move(owned);
    }
    return series;
}

void Shard::remove(MemSeries& series, Index& index) {
    index.remove(series.labels(), series.id);
    MemSeries** link = &by_hash_[series.hash];
    while (*link != &series) {
        link = &(*link)->same_hash;
    }
    *link = series.same_hash;
    if (by_hash_[series.hash] == nullptr) {
        by_hash_.erase(series.hash);
    }
    by_id_.erase(series.id);
    free_slots_.push_back(series.slot);
    slots_[series.slot].reset();
}

}  // namespace stoker::tsdb
