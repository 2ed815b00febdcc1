// Reads what /metrics endpoints serve to those who accept protobuf: io.prometheus.client.MetricFamily messages, each
// after its length as a varint. The one exposition that carries native histograms.
//
// Yields the samples that the text format would have: a counter's, a summary's quantiles, a classic histogram's
// buckets, and beside or instead of those the native histogram. Views point into the input. Stateless and thread-safe.
// https://prometheus.io/docs/instrumenting/exposition_formats/#protobuf-format
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wire/prometheus_protobuf_histogram.h"

namespace stoker::wire {

// Put before the text formats in Accept when native histograms are wanted.
inline constexpr std::string_view kProtobufAccept =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7";

// Whether a Content-Type header announces this format.
bool is_protobuf_exposition(std::string_view content_type);

using LabelViewList = std::vector<std::pair<std::string_view, std::string_view>>;

struct ProtobufExemplar {
    LabelViewList labels;
    double value = 0;
    std::optional<std::int64_t> time_ms;
};

// Valid during the callback only.
struct ProtobufSample {
    std::string_view name;  // "x_bucket" and the like for parts of classic histograms and summaries.
    LabelViewList labels;   // As sent, "le" or "quantile" last; __name__ not among them.
    double value = 0;
    const NativeHistogram* histogram = nullptr;  // Not null: the sample is this. Its own times are not set.
    std::optional<std::int64_t> time_ms;
    std::optional<std::int64_t> created_ms;  // When the counter, summary or histogram began.
    std::span<const ProtobufExemplar> exemplars;
};

struct ProtobufFamily {
    std::string_view name;
    std::string_view type;  // "counter", "gauge", "summary", "unknown", "histogram", "gaugehistogram".
    std::string_view help;
    std::string_view unit;
};

struct ProtobufVisitor {
    std::function<void(const ProtobufSample&)> on_sample;  // Must be set.
    std::function<void(const ProtobufFamily&)> on_family;  // Before its samples; may be empty.
};

struct ProtobufLimits {
    std::size_t max_samples = 1'000'000;
    std::size_t max_labels = 128;         // A sample.
    std::size_t max_buckets = 4'000'000;  // Of native histograms in all.
};

// Whether histograms that come both ways are also taken the classic way.
enum class ClassicBuckets : std::uint8_t { OnlyWithoutNative, Always };

// Walks `body` and calls the visitor for each family and sample; returns the number of samples.
// Errors: InvalidArgument, ResourceExhausted (a limit). Samples before the error were visited: collect into a batch and
// throw it away on error.
Result<std::size_t> parse_protobuf_exposition(std::string_view body, const ProtobufVisitor& visitor,
                                              ClassicBuckets classic = ClassicBuckets::OnlyWithoutNative,
                                              const ProtobufLimits& limits = {});

}  // namespace stoker::wire
