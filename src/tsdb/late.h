// Samples that came behind their series' newest, kept apart until there are enough of them for a chunk.
//
// The open chunk takes samples in order of time only, so the ones that a slow or retrying sender brings later gather
// here, sorted. They reach the disk as chunks of their own, which may overlap the others; queries merge them in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tsdb/chunk.h"

namespace stoker::tsdb {

inline constexpr std::size_t kLateSamples = 120;  // So many become a chunk.

// Numbers and histograms side by side, as queries give them. `histograms` is empty or as long as `samples`.
struct SampleList {
    std::vector<Sample> samples;
    std::vector<HistogramPtr> histograms;

    bool empty() const { return samples.empty(); }
    std::size_t size() const { return samples.size(); }
    void clear() {
        samples.clear();
        histograms.clear();
    }
    // At the end. REQUIRES: `histogram` is null exactly if the sample is a number.
    void push_back(Sample sample, HistogramPtr histogram);
    // Where its time puts it; after those of the same time.
    void insert(Sample sample, HistogramPtr histogram);
    // Index of the sample with this time, or size().
    std::size_t find(std::int64_t time) const;
    HistogramPtr histogram(std::size_t index) const { return histograms.empty() ? HistogramPtr() : histograms[index]; }
    SampleBlock block() const { return {samples, histograms}; }
};

// By time; of equal times those of `first` win.
SampleList merge(SampleBlock first, SampleBlock second);

// As chunks: a new one for each day, where numbers and histograms take turns, where the histograms' layout changes, and
// where one is full. REQUIRES: times strictly ascending.
std::vector<SealedChunk> seal_list(SampleBlock block);

Result<Unit> read_chunk(std::string_view sealed, SampleList& out);

}  // namespace stoker::tsdb
