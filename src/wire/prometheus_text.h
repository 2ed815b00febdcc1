// Reads what /metrics endpoints serve: Prometheus text format 0.0.4 and OpenMetrics text 1.0.
//
// One pass, no regular expressions; string_views point into the input unless a value held escapes. A malformed line is
// an error with its line and column: a half-read exposition is never taken for a whole one. Of OpenMetrics, everything
// is refused that its specification refuses (openmetrics_rules.h); the older format is read as leniently as Prometheus
// does. Stateless and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace stoker::wire {

enum class ExpositionFormat : std::uint8_t { Prometheus, OpenMetrics };

// The format that a Content-Type header names; Prometheus when it names none or another.
ExpositionFormat exposition_format(std::string_view content_type);

// What to send as Accept when scraping.
inline constexpr std::string_view kExpositionAccept =
    "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

struct ExpositionLimits {
    std::size_t max_line_bytes = std::size_t{64} << 10;
    std::size_t max_samples = 1'000'000;
    std::size_t max_labels = 128;  // A sample.
};

using LabelViews = std::vector<std::pair<std::string_view, std::string_view>>;

struct ExpositionExemplar {
    LabelViews labels;
    double value = 0;
    std::optional<std::int64_t> time_ms;
};

// One sample. The views, the vector and the exemplar are valid during the callback only.
struct ExpositionSample {
    std::string_view name;
    LabelViews labels;  // As written: unsorted, __name__ not among them.
    double value = 0;
    std::optional<std::int64_t> time_ms;
    std::optional<std::int64_t> created_ms;        // OpenMetrics: when the counter, histogram or summary began.
    const ExpositionExemplar* exemplar = nullptr;  // OpenMetrics: null if there is none.
};

// What becomes of OpenMetrics' _created lines.
enum class CreatedLines : std::uint8_t {
    StartTimes,  // created_ms of the samples they belong to; they are no samples themselves.
    Series,      // Samples like others.
};

// TYPE, HELP or UNIT of one metric family.
struct ExpositionMetadata {
    enum class Kind : std::uint8_t { Type, Help, Unit };
    Kind kind = Kind::Type;
    std::string_view family;
    std::string_view text;  // "counter", the help with escapes resolved, or the unit.
};

struct ExpositionVisitor {
    std::function<void(const ExpositionSample&)> on_sample;      // Must be set.
    std::function<void(const ExpositionMetadata&)> on_metadata;  // May be empty.
};

// Walks `text` and calls the visitor for each sample and metadata line; returns the number of samples.
// Errors: InvalidArgument ("line 3 column 17: ..."), ResourceExhausted (a limit). Samples before the error were
// visited: collect into a batch and throw it away on error.
Result<std::size_t> parse_exposition(std::string_view text, ExpositionFormat format, const ExpositionVisitor& visitor,
                                     const ExpositionLimits& limits = {},
                                     CreatedLines created = CreatedLines::StartTimes);

// The same as values that own their text: for tests and places that are not hot.
struct OwnedSample {
    std::string name;
    std::vector<std::pair<std::string, std::string>> labels;
    double value = 0;
    std::optional<std::int64_t> time_ms;
    std::optional<std::int64_t> created_ms;
};
Result<std::vector<OwnedSample>> parse_exposition(std::string_view text, ExpositionFormat format,
                                                  const ExpositionLimits& limits = {});

}  // namespace stoker::wire
