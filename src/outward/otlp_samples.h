// Samples of the store as OTLP metrics: what Prometheus tells by names and types becomes gauges, sums, histograms,
// exponential histograms and summaries again.
//
// A resource is a target: `job` is service.name and `instance` service.instance.id. Names stay as they are. The series
// of a classic histogram or summary that came together become one point. Staleness markers become points without a
// value. Pure, not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "collect/send/remote_write_sender_record.h"
#include "tsdb/labels.h"
#include "wire/otlp.h"
#include "wire/prometheus_protobuf_histogram.h"

namespace stoker::outward {

class OtlpSamples {
public:
    // `resource` are attributes of every resource. REQUIRES: `families` outlives this.
    OtlpSamples(const collect::FamilyBook& families, wire::otlp::Attributes resource, std::string version)
        : families_(families), resource_(std::move(resource)), version_(std::move(version)) {}

    void add(const tsdb::Labels& labels, std::int64_t time_ms, double value, std::int64_t start_ms);
    // False if OTLP has no place for it (custom bucket bounds, schemas out of its range): it is left out.
    bool add(const tsdb::Labels& labels, const wire::NativeHistogram& histogram);

    // What was added, as one request; begins anew.
    wire::otlp::MetricsRequest take();

private:
    // What a metric's name says with its family's type.
    struct Meaning {
        std::string family;
        std::string type;    // As in tsdb::MetricMetadata.
        std::string suffix;  // _bucket, _sum, _count, or none.
        const tsdb::MetricMetadata* metadata = nullptr;
    };
    // The series of one classic histogram or summary at one time.
    struct Compound {
        std::map<double, double> parts;  // Cumulative count by `le`, or value by quantile.
        std::optional<double> sum;
        std::optional<double> count;
        std::int64_t start = 0;
        bool stale = false;
    };
    using CompoundKey = std::tuple<std::string, tsdb::Labels, std::int64_t>;  // Family, labels, time.

    Meaning meaning_of(std::string_view metric) const;
    wire::otlp::Metric& metric_of(const tsdb::Labels& labels, const Meaning& meaning, wire::otlp::Kind kind);
    void put(const CompoundKey& key, const Compound& compound);

    const collect::FamilyBook& families_;
    const wire::otlp::Attributes resource_;
    const std::string version_;
    std::map<std::pair<std::string, std::string>, std::map<std::string, wire::otlp::Metric>>
        metrics_;  // By target, name.
    std::map<CompoundKey, Compound> compounds_;
};

}  // namespace stoker::outward
