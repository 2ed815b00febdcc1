// From an OTLP request to what the store takes: series, exemplars, metadata, and who is to blame for what is left out.
//
// Sums become counters or gauges, histograms their classic series or native ones, resources job, instance and
// target_info, as Prometheus' OTLP receiver does it. Delta points go through OtlpDeltas. A point that makes no sense is
// rejected with a reason; the others are converted all the same. Pure but for OtlpDeltas.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "collect/push/otlp_deltas.h"
#include "collect/push/otlp_names.h"
#include "collect/scrape/label_limits.h"
#include "tsdb/store.h"
#include "wire/otlp.h"

namespace stoker::collect {

struct OtlpOptions {
    OtlpNames names = OtlpNames::UnderscoreEscapingWithSuffixes;
    std::vector<std::string> promote_resource_attributes;  // Become labels of every series of their resource.
    bool promote_all_resource_attributes = false;
    bool promote_scope_metadata = false;                 // otel_scope_name, _version, _schema_url and its attributes.
    bool keep_identifying_resource_attributes = false;   // service.name and the like in target_info too.
    bool custom_bucket_histograms = false;               // Histograms as native ones, instead of _bucket series.
    Duration target_info_interval{150'000};              // Between its samples: half of PromQL's lookback.
    std::size_t max_body_bytes = std::size_t{32} << 20;  // Decompressed.
    wire::otlp::Limits decode;
    LabelLimits labels;
    OtlpDeltaOptions deltas;
};

struct OtlpBatch {
    static constexpr std::uint32_t kNoPoint = UINT32_MAX;

    std::vector<tsdb::SeriesSample> samples;
    std::vector<std::uint32_t> point_of;  // For each sample, the point it is from; kNoPoint: target_info.
    std::vector<tsdb::SeriesExemplars> exemplars;
    std::vector<tsdb::FamilyMetadata> metadata;
    std::uint32_t points = 0;            // In the request; they are numbered in its order.
    std::vector<std::uint32_t> refused;  // Points that none of the samples are from, ascending.
    std::vector<std::string> reasons;    // Different ones, the first few.

    void refuse(std::uint32_t point, std::string reason);
    void explain(std::string reason);
};

bool has_deltas(const wire::otlp::MetricsRequest& request);

OtlpBatch convert_otlp(wire::otlp::MetricsRequest request, const OtlpOptions& options, OtlpDeltas& deltas);

}  // namespace stoker::collect
