// What OpenMetrics 1.0 demands beyond the grammar of a line: families in one piece, their types' suffixes, values and
// buckets that make sense, times that go forward. One object walks one exposition; the first broken rule is remembered.
//
// https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "wire/prometheus_text.h"

namespace stoker::wire::internal {

class OpenMetricsRules {
public:
    // What a sample is to its metric.
    enum class Role : std::uint8_t { Bad, Value, Total, Bucket, Count, Sum, Created, Quantile };

    // Each returns false (or Bad) when the exposition is not valid; error() then says why.
    bool metadata(const ExpositionMetadata& metadata);
    Role sample(const ExpositionSample& sample);
    bool end();  // Before # EOF.

    // Whether the last sample() began another metric: other labels, le and quantile apart, or another family.
    bool new_metric() const { return new_metric_; }
    const std::string& error() const { return error_; }

private:
    enum class Type : std::uint8_t { Unknown, Gauge, Counter, Histogram, GaugeHistogram, Summary, Info, StateSet };

    // One point of one metric: what came of it so far.
    struct Point {
        std::optional<double> last_bound;
        double last_count = 0;
        std::optional<double> infinite;  // The bucket of +Inf.
        std::optional<double> count;
        std::optional<double> sum;
        std::optional<double> created;
        bool negative_bounds = false;
        bool value = false;
    };

    bool fail(std::string message);
    bool open_family(std::string_view name, Type type, bool described);
    bool close_family();
    bool reserve_names();
    Role role_of(std::string_view name);
    bool enter_metric(const ExpositionSample& sample, Role role);
    bool enter_time(const ExpositionSample& sample, Role role);
    bool close_point();
    bool check(const ExpositionSample& sample, Role role);
    bool check_bucket(const ExpositionSample& sample);
    bool check_value(const ExpositionSample& sample);
    bool check_quantile(const ExpositionSample& sample);
    bool check_exemplar(const ExpositionSample& sample, Role role);
    bool once(std::optional<double>& slot, double value, const char* what);
    bool counts() const { return type_ == Type::Histogram || type_ == Type::GaugeHistogram; }

    // The family at hand.
    std::string family_;
    Type type_ = Type::Unknown;
    bool open_ = false;
    bool has_type_ = false;
    bool has_help_ = false;
    bool has_unit_ = false;
    bool has_samples_ = false;
    std::string unit_;
    std::unordered_set<std::uint64_t> metrics_;  // Hashes of the label sets that came.

    // The metric at hand.
    std::uint64_t metric_ = 0;
    bool in_metric_ = false;
    bool new_metric_ = false;
    std::optional<std::int64_t> time_;
    Point point_;

    std::unordered_set<std::string> names_;  // Of all families before, with the suffixes of their types.
    std::string error_;
};

}  // namespace stoker::wire::internal
