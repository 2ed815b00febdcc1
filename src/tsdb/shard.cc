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

HeadRecord MemSeries::record() const {
    HeadRecord head;
    head.first_time = first_time;
    head.last = {open.max_time(), open.last_value()};
    // The sealed ones go to disk together with this record.
    head.disk_time = sealed.empty() ? disk_time : sealed.back().max_time;
    if (!open.empty()) {
        head.open = open.snapshot();
    }
    return head;
}

void MemSeries::restore(const HeadRecord& head, std::span<const Sample> open_samples) {
    first_time = head.first_time;
    disk_time = head.disk_time;
    open = OpenChunk(head.last);
    for (const Sample& sample : open_samples) {
        open.append(sample);
    }
}

void SlotTable::put(std::uint64_t slot, std::unique_ptr<MemSeries> series) {
    const std::uint64_t page = slot / kPage;
    if (page >= pages_.size()) {
        pages_.resize(page + 1);
    }
    if (!pages_[page]) {
        pages_[page] = std::make_unique<Page>();
    }
    STOKER_CHECK(!pages_[page]->series[slot % kPage], "a slot is used once");
    pages_[page]->series[slot % kPage] = std::move(series);
    ++pages_[page]->used;
}

std::unique_ptr<MemSeries> SlotTable::take(std::uint64_t slot) {
    auto& page = pages_[slot / kPage];
    std::unique_ptr<MemSeries> series = std::move(page->series[slot % kPage]);
    if (--page->used == 0) {
        page.reset();
    }
    return series;
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

MemSeries& Shard::create(std::uint64_t hash, const Labels& labels, Index& index) {
    return insert(next_slot_ * kShards + number_, hash, labels, index);
}

MemSeries& Shard::restore(SeriesId id, const Labels& labels, Index& index) {
    return insert(id, labels.hash(), labels, index);
}

MemSeries& Shard::insert(SeriesId id, std::uint64_t hash, const Labels& labels, Index& index) {
    reserve(id);
    auto series = std::make_unique<MemSeries>();
    series->id = id;
    series->hash = hash;
    const auto refs = index.add(labels, id);
    series->label_refs = std::make_unique<LabelRef[]>(refs.size());
    std::copy(refs.begin(), refs.end(), series->label_refs.get());
    series->label_count = static_cast<std::uint32_t>(refs.size());
    MemSeries*& first = by_hash_[hash];
    series->same_hash = first;
    first = series.get();
    MemSeries& result = *series;
    slots_.put(id / kShards, std::move(series));
    return result;
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
    (void)slots_.take(series.id / kShards);
}

}  // namespace stoker::tsdb
