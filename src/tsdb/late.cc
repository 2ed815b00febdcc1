#include "tsdb/late.h"

#include <algorithm>
#include <memory>

#include "tsdb/histogram_chunk.h"
#include "tsdb/histogram_layout.h"

namespace stoker::tsdb {

namespace {

bool earlier(const Sample& sample, std::int64_t time) {
    return sample.time < time;
}
bool later(std::int64_t time, const Sample& sample) {
    return time < sample.time;
}

SealedChunk seal_numbers(std::span<const Sample> samples) {
    return {samples.front().time, samples.back().time, std::make_shared<const std::string>(seal_chunk(samples))};
}

SealedChunk seal_histograms(std::span<const Sample> samples, std::span<const HistogramPtr> histograms) {
    OpenHistograms open;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        open.append(samples[i].time, histograms[i]);
    }
    return {samples.front().time, samples.back().time, std::make_shared<const std::string>(open.snapshot())};
}

}  // namespace

void SampleList::push_back(Sample sample, HistogramPtr histogram) {
    if (histogram != nullptr && histograms.empty()) {
        histograms.resize(samples.size());
    }
    if (histogram != nullptr || !histograms.empty()) {
        histograms.push_back(std::move(histogram));
    }
    samples.push_back(sample);
}

void SampleList::insert(Sample sample, HistogramPtr histogram) {
    const auto at = std::upper_bound(samples.begin(), samples.end(), sample.time, later) - samples.begin();
    if (histogram != nullptr && histograms.empty()) {
        histograms.resize(samples.size());
    }
    if (histogram != nullptr || !histograms.empty()) {
        histograms.insert(histograms.begin() + at, std::move(histogram));
    }
    samples.insert(samples.begin() + at, sample);
}

std::size_t SampleList::find(std::int64_t time) const {
    const auto at = std::lower_bound(samples.begin(), samples.end(), time, earlier);
    return at != samples.end() && at->time == time ? static_cast<std::size_t>(at - samples.begin()) : samples.size();
}

SampleList merge(SampleBlock first, SampleBlock second) {
    SampleList result;
    const auto take = [&](const SampleBlock& from, std::size_t& index) {
        result.push_back(from.samples[index], from.histograms.empty() ? HistogramPtr() : from.histograms[index]);
        ++index;
    };
    std::size_t a = 0;
    std::size_t b = 0;
    while (a < first.samples.size() || b < second.samples.size()) {
        const bool from_first =
            b == second.samples.size() || (a < first.samples.size() && first.samples[a].time <= second.samples[b].time);
        if (from_first) {
            const std::int64_t time = first.samples[a].time;
            take(first, a);
            b += b < second.samples.size() && second.samples[b].time == time ? 1 : 0;
        } else {
            take(second, b);
        }
    }
    return result;
}

std::vector<SealedChunk> seal_list(SampleBlock block) {
    std::vector<SealedChunk> chunks;
    const auto histogram = [&](std::size_t i) {
        return block.histograms.empty() ? nullptr : block.histograms[i].get();
    };
    for (std::size_t from = 0; from < block.samples.size();) {
        const Histogram* first = histogram(from);
        std::size_t to = from + 1;
        for (; to < block.samples.size() && to - from < kChunkSamples; ++to) {
            const Histogram* next = histogram(to);
            if ((first == nullptr) != (next == nullptr) || (first != nullptr && !same_layout(*first, *next)) ||
                partition_of(block.samples[from].time) != partition_of(block.samples[to].time)) {
                break;
            }
        }
        const auto samples = block.samples.subspan(from, to - from);
        chunks.push_back(first == nullptr ? seal_numbers(samples)
                                          : seal_histograms(samples, block.histograms.subspan(from, to - from)));
        from = to;
    }
    return chunks;
}

Result<Unit> read_chunk(std::string_view sealed, SampleList& out) {
    return read_chunk(sealed, out.samples, out.histograms);
}

}  // namespace stoker::tsdb
