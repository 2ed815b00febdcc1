// One metrics page, read whole before any of it is believed: samples, exemplars and metadata in any of the three
// formats, without the target's labels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collect/sample_sink.h"
#include "collect/scrape/label_limits.h"
#include "tsdb/store.h"
#include "wire/prometheus_text.h"

namespace stoker::collect {

enum class PageFormat : std::uint8_t { Prometheus, OpenMetrics, Protobuf };

// The format that a Content-Type header names; Prometheus' text when it names none or another.
PageFormat page_format(std::string_view content_type);

struct ScrapeLimits {
    std::size_t max_samples = 100'000;
    LabelLimits labels;    // As exposed, before the target's own are added.
    bool untyped = false;  // A page of samples without any # TYPE or # HELP is one, too, as for Prometheus.
};

struct ScrapePage {
    struct Sample {
        std::string name;
        SampleBatch::Pairs labels;
        double value = 0;
        std::int64_t time = 0;
        std::int64_t start_time = 0;  // 0: not known.
        tsdb::HistogramPtr histogram{};
        std::vector<tsdb::Exemplar> exemplars{};
    };
    std::vector<Sample> samples;
    std::vector<tsdb::FamilyMetadata> metadata;  // One entry a family.
};

// `now` is the time of samples without one. Errors: InvalidArgument (not a metrics page), ResourceExhausted (more
// samples or labels than allowed).
Result<ScrapePage> read_page(std::string_view page, PageFormat format, std::int64_t now, const ScrapeLimits& limits);

}  // namespace stoker::collect
