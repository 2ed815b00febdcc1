#include "agent/batch.h"

#include <bit>
#include <span>

#include "outward/otlp_samples.h"
#include "wire/compression.h"
#include "wire/otlp_encode.h"
#include "wire/remote_write_encoder.h"

namespace stoker::agent {
namespace {

constexpr int kGzipLevel = 3;

std::span<const wire::WriteRequest::Sample> samples_of(const wire::WriteRequest& request, std::size_t series) {
    const auto first = request.series[series].first_sample;
    return std::span(request.samples).subspan(first, request.series[series + 1].first_sample - first);
}

std::span<const wire::NativeHistogram> histograms_of(const wire::WriteRequest& request, std::size_t series) {
    const auto first = request.series[series].first_histogram;
    return std::span(request.histograms).subspan(first, request.series[series + 1].first_histogram - first);
}

// As bits: a staleness marker is a NaN, and equal to itself.
bool same(const wire::WriteRequest::Sample& a, const wire::WriteRequest::Sample& b) {
    return a.time == b.time && std::bit_cast<std::uint64_t>(a.value) == std::bit_cast<std::uint64_t>(b.value);
}

}  // namespace

bool Batch::goes_back(const collect::QueuedRecord& record) const {
    for (std::size_t i = 0; i < record.request.series_count(); ++i) {
        const auto found = by_labels_.find(record.request.label_bytes(record.request.series[i]));
        if (found == by_labels_.end()) continue;
        const Series& known = series_[found->second];
        const auto samples = samples_of(record.request, i);
        if (!samples.empty() && !known.samples.empty() && samples.front().time <= known.samples.back().time &&
            !same(samples.front(), known.samples.back())) {
            return true;
        }
        const auto histograms = histograms_of(record.request, i);
        if (!histograms.empty() && !known.histograms.empty() &&
            histograms.front().time <= known.histograms.back().time) {
            return true;
        }
    }
    return false;
}

bool Batch::add(std::shared_ptr<const collect::QueuedRecord> record) {
    if (goes_back(*record)) return false;
    const wire::WriteRequest& request = record->request;
    for (std::size_t i = 0; i < request.series_count(); ++i) {
        const std::string_view labels = request.label_bytes(request.series[i]);
        const auto [place, is_new] = by_labels_.try_emplace(labels, series_.size());
        if (is_new) series_.push_back({labels, {}, {}});
        Series& series = series_[place->second];
        for (const auto& sample : samples_of(request, i)) {
            if (!series.samples.empty() && same(sample, series.samples.back())) continue;
            series.samples.push_back(sample);
            ++samples_;
        }
        for (const auto& histogram : histograms_of(request, i)) {
            series.histograms.push_back(histogram);
            ++samples_;
        }
    }
    records_.push_back(std::move(record));
    return true;
}

std::string Batch::encode_otlp(const BatchFormat& format) const {
    static const collect::FamilyBook kNoFamilies;
    outward::OtlpSamples points(format.families == nullptr ? kNoFamilies : *format.families, {}, STOKER_VERSION);
    wire::LabelViews views;
    for (const Series& series : series_) {
        if (!wire::parse_label_bytes(series.label_bytes, views) || views.empty()) continue;
        if (format.external_labels != nullptr) collect::add_external(*format.external_labels, views);
        const tsdb::Labels labels(std::vector<tsdb::Labels::Pair>(views.begin(), views.end()));
        for (const auto& sample : series.samples) points.add(labels, sample.time, sample.value, sample.start_time);
        for (const auto& histogram : series.histograms) points.add(labels, histogram);
    }
    return wire::gzip_compress(wire::otlp::encode_metrics(points.take()), kGzipLevel);
}

std::string Batch::encode(const BatchFormat& format) const {
    if (format.otlp) return encode_otlp(format);
    static const tsdb::Labels kNone;
    wire::WriteRequestEncoder encoder(format.version);
    wire::LabelViews labels;
    for (const Series& series : series_) {
        if (!wire::parse_label_bytes(series.label_bytes, labels) || labels.empty()) continue;
        collect::add_external(format.external_labels == nullptr ? kNone : *format.external_labels, labels);
        wire::WriteRequest::Metadata metadata;
        if (format.families != nullptr && format.version == wire::RemoteWriteVersion::V2) {
            metadata = collect::metadata_of(labels, *format.families);
        }
        if (!series.samples.empty()) encoder.add({labels, series.samples, {}, {}, metadata});
        if (!series.histograms.empty()) encoder.add({labels, {}, series.histograms, {}, metadata});
    }
    const std::string message = encoder.finish();
    return format.zstd ? wire::zstd_compress(message) : wire::snappy_compress(message);
}

}  // namespace stoker::agent
