#include "outward/otlp_samples.h"

#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "base/text.h"
#include "tsdb/querier.h"

namespace stoker::outward {
namespace {

namespace otlp = wire::otlp;

constexpr std::uint64_t kNanos = 1'000'000;
// OTLP's exponential histograms have scales like Prometheus' schemas,
// https://opentelemetry.io/docs/specs/otel/metrics/.
constexpr std::int32_t kLeastSchema = -4;
constexpr std::int32_t kMostSchema = 8;
constexpr std::size_t kMostBuckets = 10'000;  // With the empty ones between, which OTLP writes out.

std::uint64_t nanos(std::int64_t millis) {
    return millis > 0 ? static_cast<std::uint64_t>(millis) * kNanos : 0;
}

otlp::Attributes attributes_of(const tsdb::Labels& labels) {
    otlp::Attributes attributes;
    for (const auto& [name, value] : labels) {
        if (name != tsdb::kMetricName && name != "job" && name != "instance") attributes.emplace_back(name, value);
    }
    return attributes;
}

bool is_compound(std::string_view type) {
    return type == "histogram" || type == "gaugehistogram" || type == "summary";
}

std::uint64_t whole(double count) {
    return count > 0 && std::isfinite(count) ? static_cast<std::uint64_t>(std::llround(count)) : 0;
}

// Sparse spans as one run. A bucket that Prometheus numbers i, OpenTelemetry numbers i - 1. Nothing if it is too long.
std::optional<otlp::Buckets> dense(const std::vector<wire::NativeHistogram::Span>& spans,
                                   const std::vector<double>& counts) {
    otlp::Buckets out;
    std::size_t next = 0;
    bool first = true;
    for (const auto& span : spans) {
        if (first) {
            out.offset = span.offset - 1;
            first = false;
        } else {
            if (span.offset < 0 || static_cast<std::size_t>(span.offset) > kMostBuckets) return std::nullopt;
            out.counts.insert(out.counts.end(), static_cast<std::size_t>(span.offset), 0);
        }
        for (std::uint32_t i = 0; i < span.length && next < counts.size(); ++i)
            out.counts.push_back(whole(counts[next++]));
        if (out.counts.size() > kMostBuckets) return std::nullopt;
    }
    return out;
}

}  // namespace

OtlpSamples::Meaning OtlpSamples::meaning_of(std::string_view metric) const {
    if (const auto found = families_.find(metric); found != families_.end()) {
        return {std::string(metric), found->second.type, "", &found->second};
    }
    for (const std::string_view suffix : {"_bucket", "_sum", "_count", "_total"}) {
        if (!metric.ends_with(suffix)) continue;
        const auto found = families_.find(metric.substr(0, metric.size() - suffix.size()));
        if (found == families_.end()) continue;
        const bool counter = suffix == "_total" && found->second.type == "counter";
        if (counter) return {std::string(metric), "counter", "", &found->second};
        if (is_compound(found->second.type))
            return {found->first, found->second.type, std::string(suffix), &found->second};
    }
    // Of what nobody described, only names say what counts.
    const bool counts = metric.ends_with("_total");
    return {std::string(metric), counts ? "counter" : "unknown", "", nullptr};
}

otlp::Metric& OtlpSamples::metric_of(const tsdb::Labels& labels, const Meaning& meaning, otlp::Kind kind) {
    auto& target = metrics_[{std::string(labels.get("job")), std::string(labels.get("instance"))}];
    otlp::Metric& metric = target[meaning.family];
    if (metric.kind != otlp::Kind::None) return metric;
    metric.name = meaning.family;
    metric.kind = kind;
    if (meaning.metadata != nullptr) {
        metric.description = meaning.metadata->help;
        metric.unit = meaning.metadata->unit;
    }
    if (kind != otlp::Kind::Gauge) metric.temporality = otlp::Temporality::Cumulative;
    metric.monotonic = kind == otlp::Kind::Sum;
    return metric;
}

void OtlpSamples::add(const tsdb::Labels& labels, std::int64_t time_ms, double value, std::int64_t start_ms) {
    const Meaning meaning = meaning_of(labels.metric());
    const bool stale = tsdb::is_stale(value);
    if (is_compound(meaning.type)) {
        const bool summary = meaning.type == "summary";
        const auto part = parse_number(labels.get(summary ? "quantile" : "le"));
        Compound& compound =
            compounds_[{meaning.family, labels.without({std::string(tsdb::kMetricName), "le", "quantile"}), time_ms}];
        compound.start = start_ms;
        compound.stale = compound.stale || stale;
        if (stale) return;
        if (meaning.suffix == "_sum") compound.sum = value;
        if (meaning.suffix == "_count") compound.count = value;
        if (part && (summary ? meaning.suffix.empty() : meaning.suffix == "_bucket")) compound.parts[*part] = value;
        return;
    }
    const bool counter = meaning.type == "counter";
    otlp::Metric& metric = metric_of(labels, meaning, counter ? otlp::Kind::Sum : otlp::Kind::Gauge);
    otlp::Point& point = metric.points.emplace_back();
    point.attributes = attributes_of(labels);
    point.time = nanos(time_ms);
    if (counter) point.start = nanos(start_ms);
    if (stale) {
        point.flags = otlp::Point::kNoRecordedValue;
    } else {
        point.value = value;
    }
}

bool OtlpSamples::add(const tsdb::Labels& labels, const wire::NativeHistogram& histogram) {
    if (histogram.schema < kLeastSchema || histogram.schema > kMostSchema) return false;
    auto positive = dense(histogram.positive_spans, histogram.positive);
    auto negative = dense(histogram.negative_spans, histogram.negative);
    if (!positive || !negative) return false;
    Meaning meaning = meaning_of(labels.metric());
    meaning.family = std::string(labels.metric());
    otlp::Metric& metric = metric_of(labels, meaning, otlp::Kind::ExponentialHistogram);
    if (metric.kind != otlp::Kind::ExponentialHistogram) return false;
    otlp::Point& point = metric.points.emplace_back();
    point.attributes = attributes_of(labels);
    point.time = nanos(histogram.time);
    point.start = nanos(histogram.start_time);
    if (tsdb::is_stale(histogram.sum)) {
        point.flags = otlp::Point::kNoRecordedValue;
        return true;
    }
    point.count = whole(histogram.count);
    point.sum = histogram.sum;
    point.scale = histogram.schema;
    point.zero_count = whole(histogram.zero_count);
    point.zero_threshold = histogram.zero_threshold;
    point.positive = *std::move(positive);
    point.negative = *std::move(negative);
    return true;
}

void OtlpSamples::put(const CompoundKey& key, const Compound& compound) {
    const auto& [family, labels, time] = key;
    const Meaning meaning = meaning_of(family);
    const bool summary = meaning.type == "summary";
    otlp::Metric& metric = metric_of(labels, meaning, summary ? otlp::Kind::Summary : otlp::Kind::Histogram);
    if (summary) metric.temporality = otlp::Temporality::Unspecified;
    otlp::Point& point = metric.points.emplace_back();
    point.attributes = attributes_of(labels);
    point.time = nanos(time);
    point.start = nanos(compound.start);
    if (compound.stale) {
        point.flags = otlp::Point::kNoRecordedValue;
        return;
    }
    point.sum = compound.sum;
    if (summary) {
        point.count = whole(compound.count.value_or(0));
        point.quantiles.assign(compound.parts.begin(), compound.parts.end());
        return;
    }
    const double infinity = std::numeric_limits<double>::infinity();
    const auto last = compound.parts.find(infinity);
    const double count = compound.count ? *compound.count : last != compound.parts.end() ? last->second : 0;
    point.count = whole(count);
    if (compound.parts.empty()) return;
    double before = 0;
    for (const auto& [bound, cumulative] : compound.parts) {
        if (bound == infinity) continue;
        point.bounds.push_back(bound);
        point.bucket_counts.push_back(whole(cumulative - before));
        before = std::max(before, cumulative);
    }
    point.bucket_counts.push_back(whole(count - before));
}

otlp::MetricsRequest OtlpSamples::take() {
    for (const auto& [key, compound] : compounds_) put(key, compound);
    compounds_.clear();
    otlp::MetricsRequest request;
    for (auto& [target, metrics] : metrics_) {
        otlp::Resource& resource = request.resources.emplace_back();
        if (!target.first.empty()) resource.attributes.emplace_back("service.name", target.first);
        if (!target.second.empty()) resource.attributes.emplace_back("service.instance.id", target.second);
        resource.attributes.insert(resource.attributes.end(), resource_.begin(), resource_.end());
        otlp::Scope& scope = resource.scopes.emplace_back();
        scope.name = "stoker";
        scope.version = version_;
        for (auto& [name, metric] : metrics) scope.metrics.push_back(std::move(metric));
    }
    metrics_.clear();
    return request;
}

}  // namespace stoker::outward
