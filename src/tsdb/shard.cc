#include "tsdb/shard.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace stoker::tsdb {

namespace {

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace

Verdict MemSeries::append(Sample sample, const HistogramPtr& histogram) {
    if (sample.time <= last_time()) {
        const bool newest = sample.time == last_time() && has_samples();
        if (!newest || (histogram != nullptr && is_histogram(open.last_value()) && !has_open_histograms())) {
            return Verdict::Behind;
        }
        const bool same = same_bits(sample.value, open.last_value()) &&
                          (histogram == nullptr || *histogram == *extra->histograms.last());
        return same ? Verdict::Duplicate : Verdict::Conflict;
    }
    if (histogram != nullptr || has_open_histograms()) {
        append_histogram(sample, histogram);
    } else {
        if (open.full() || (!open.empty() && partition_of(sample.time) != partition_of(open.min_time()))) {
            seal();
        }
    }
    if (!has_samples()) {
        first_time = sample.time;
    }
    if (histogram == nullptr) {
        open.append(sample);
    } else {
        open = OpenChunk(sample);
    }
    changed = true;
    return Verdict::Accepted;
}

// The chunks' side of appending where histograms are involved: begins a new one where the kind or the layout changes.
void MemSeries::append_histogram(Sample sample, const HistogramPtr& histogram) {
    if (histogram == nullptr) {
        seal();
        return;
    }
    if (extra == nullptr) {
        extra = std::make_unique<SeriesExtra>();
    }
    OpenHistograms& rows = extra->histograms;
    const bool fits = rows.empty() || (rows.fits(*histogram) && rows.count() < kChunkSamples &&
                                       partition_of(sample.time) == partition_of(rows.min_time()));
    if (!open.empty() || !fits) {
        seal();
    }
    rows.append(sample.time, histogram);
}

void MemSeries::append_late(Sample sample, HistogramPtr histogram) {
    if (extra == nullptr) {
        extra = std::make_unique<SeriesExtra>();
    }
    extra->late.insert(sample, std::move(histogram));
    first_time = std::min(first_time, sample.time);
    changed = true;
    if (extra->late.size() >= kLateSamples) {
        seal_late();
    }
}

void MemSeries::seal() {
    if (has_open_histograms()) {
        OpenHistograms& rows = extra->histograms;
        sealed.push_back({rows.min_time(), rows.max_time(), std::make_shared<const std::string>(rows.snapshot())});
        rows = OpenHistograms();
        changed = true;
    }
    if (!open.empty()) {
        sealed.push_back({open.min_time(), open.max_time(), std::make_shared<const std::string>(open.snapshot())});
        open = OpenChunk(Sample{open.max_time(), open.last_value()});
        changed = true;
    }
}

void MemSeries::seal_late() {
    if (extra != nullptr && !extra->late.empty()) {
        for (SealedChunk& chunk : seal_list(extra->late.block())) {
            extra->late_disk_time = std::max(extra->late_disk_time, chunk.max_time);
            extra->late_sealed.push_back(std::move(chunk));
        }
        extra->late.clear();
        changed = true;
    }
}

std::string MemSeries::record() const {
    return encode_head(first_time, sealed.empty() ? disk_time : sealed.back().max_time, open, extra.get());
}

void MemSeries::restore(HeadRecord head) {
    first_time = head.first_time;
    disk_time = head.disk_time;
    open = std::move(head.open);
    extra = std::move(head.extra);
}

Verdict Shard::append(MemSeries& series, Sample sample, const HistogramPtr& histogram) {
    const bool had_sealed = series.has_sealed();
    const Verdict verdict = series.append(sample, histogram);
    if (!had_sealed && series.has_sealed()) {
        with_sealed_.push_back(series.id);
    }
    return verdict;
}

void Shard::append_late(MemSeries& series, Sample sample, HistogramPtr histogram) {
    const bool had_sealed = series.has_sealed();
    series.append_late(sample, std::move(histogram));
    if (!had_sealed && series.has_sealed()) {
        with_sealed_.push_back(series.id);
    }
}

MemSeries* Shard::find(std::uint64_t hash, const Labels& labels) {
    MemSeries* series = by_hash_.find(hash);
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
    series.same_hash = by_hash_.find(hash);
    by_hash_.set(hash, &series);
    STOKER_CHECK(by_id_.find(id) == nullptr, "an id is given once");
    by_id_.set(id, &series);
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
    MemSeries* first = by_hash_.find(series.hash);
    if (first != &series) {
        while (first->same_hash != &series) {
            first = first->same_hash;
        }
        first->same_hash = series.same_hash;
    } else if (series.same_hash != nullptr) {
        by_hash_.set(series.hash, series.same_hash);
    } else {
        by_hash_.erase(series.hash);
    }
    by_id_.erase(series.id);
    free_slots_.push_back(series.slot);
    slots_[series.slot].reset();
}

}  // namespace stoker::tsdb
