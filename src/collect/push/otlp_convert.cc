#include "collect/push/otlp_convert.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "collect/push/otlp_exemplars.h"
#include "collect/push/otlp_histogram.h"
#include "collect/push/otlp_resource.h"
#include "tsdb/querier.h"
#include "wire/utf8.h"

namespace stoker::collect {
namespace {

using wire::otlp::Kind;
using wire::otlp::Metric;
using wire::otlp::Point;
using wire::otlp::Temporality;
using Map = std::map<std::string, std::string>;

constexpr std::size_t kMostReasons = 5;
constexpr std::size_t kMostTargetInfoSamples = 1000;

std::int64_t millis(std::uint64_t nanos) {
    return static_cast<std::int64_t>(nanos / 1'000'000);
}

// As Prometheus writes le and quantile: plain digits, the fewest that read back.
std::string bound_text(double bound) {
    if (std::isinf(bound)) return bound > 0 ? "+Inf" : "-Inf";
    char text[400];
    const auto end = std::to_chars(text, text + sizeof(text), bound, std::chars_format::fixed).ptr;
    return {text, end};
}

std::string_view type_of(const Metric& metric) {
    switch (metric.kind) {
        case Kind::Gauge:
            return "gauge";
        case Kind::Sum:
            return metric.monotonic ? "counter" : "gauge";
        case Kind::Histogram:
        case Kind::ExponentialHistogram:
            return "histogram";
        case Kind::Summary:
            return "summary";
        case Kind::None:
            break;
    }
    return "unknown";
}

// Errors: InvalidArgument: none of its points can be taken.
Result<Unit> check_metric(const Metric& metric, const std::string& name) {
    const auto refuse = [&](const std::string& why) {
        return Error{Errc::InvalidArgument, "metric \"" + metric.name.substr(0, 200) + "\": " + why};
    };
    if (!wire::valid_utf8(metric.name)) return Error{Errc::InvalidArgument, "a metric's name is not UTF-8"};
    if (name.empty()) return refuse("nothing of its name can be kept");
    if (metric.kind == Kind::None) return refuse("it has no data of a kind known here");
    const bool timed = metric.kind != Kind::Gauge && metric.kind != Kind::Summary;
    if (timed && metric.temporality == Temporality::Unspecified) return refuse("it says neither delta nor cumulative");
    return Unit{};
}

class Converter {
public:
    Converter(const OtlpOptions& options, OtlpDeltas& deltas)
        : options_(options), deltas_(deltas), budget_(options.labels.max_request_bytes) {}

    OtlpBatch run(wire::otlp::MetricsRequest& request) {
        for (auto& resource : request.resources) {
            OtlpResource owner(resource.attributes, options_);
            resource_ = &owner;
            oldest_ = std::numeric_limits<std::int64_t>::max();
            newest_ = 0;
            for (auto& scope : resource.scopes) {
                owner.enter(scope);
                for (Metric& metric : scope.metrics) convert(metric);
            }
            add_target_info();
        }
        return std::move(batch_);
    }

private:
    void convert(Metric& metric) {
        const std::string name = otlp_metric_name(metric, options_.names);
        if (auto fine = check_metric(metric, name); !fine) {
            // A metric without points is still worth a word: the sender believes it sent something.
            if (metric.points.empty()) batch_.explain(fine.error().message);
            for (std::size_t i = 0; i < metric.points.size(); ++i) {
                batch_.refuse(batch_.points++, fine.error().message);
            }
            return;
        }
        metric_ = &metric;
        name_ = name;
        for (Point& point : metric.points) {
            number_ = batch_.points++;
            const std::size_t before = batch_.samples.size();
            if (auto taken = convert(point); !taken) {
                batch_.samples.resize(before);
                batch_.point_of.resize(before);
                batch_.refuse(number_, name_.substr(0, 200) + ": " + taken.error().message);
            }
        }
        batch_.metadata.push_back({name, {std::string(type_of(metric)), metric.description, otlp_unit(metric.unit)}});
    }

    Result<Unit> convert(Point& point) {
        if (point.time == 0) return Error{Errc::InvalidArgument, "a point has no time"};
        labels_ = resource_->labels(point.attributes);
        time_ = millis(point.time);
        stale_ = point.no_recorded_value();
        const tsdb::Labels whole = named(name_);
        TRY_UNIT(check_labels(whole, options_.labels));
        TRY_UNIT(check_point(point));
        if (metric_->temporality == Temporality::Delta && !stale_) {
            TRY_UNIT(deltas_.add(whole, metric_->kind, point));
        }
        // Only what counts from a start has one that means something.
        const bool counts = metric_->kind != Kind::Gauge && (metric_->kind != Kind::Sum || metric_->monotonic);
        start_ = counts && point.start != 0 && point.start < point.time ? millis(point.start) : 0;
        TRY_UNIT(write(point, whole));
        if (!room_) return Error{Errc::ResourceExhausted, "the request's labels are too large in all"};
        oldest_ = std::min(oldest_, time_);
        newest_ = std::max(newest_, time_);
        return Unit{};
    }

    Result<Unit> check_point(const Point& point) const {
        if (stale_) return Unit{};
        switch (metric_->kind) {
            case Kind::Gauge:
            case Kind::Sum:
                if (!point.value) return Error{Errc::InvalidArgument, "a point has no value"};
                return Unit{};
            case Kind::Histogram:
                return check_buckets(point);
            case Kind::ExponentialHistogram:
                return check_exponential(point);
            default:
                return Unit{};
        }
    }

    Result<Unit> write(const Point& point, const tsdb::Labels& whole) {
        switch (metric_->kind) {
            case Kind::ExponentialHistogram: {
                TRY(auto histogram, native_histogram(point));
                add_native(point, whole, std::move(histogram));
                break;
            }
            case Kind::Histogram:
                if (options_.custom_bucket_histograms) {
                    TRY(auto histogram, custom_histogram(point));
                    add_native(point, whole, std::move(histogram));
                } else {
                    add_classic(point);
                }
                break;
            case Kind::Summary:
                add_summary(point);
                break;
            default:
                add(whole, point.value.value_or(0));
                if (metric_->monotonic) add_exemplars(whole, otlp_exemplars(point, options_.names));
        }
        return Unit{};
    }

    void add_native(const Point& point, const tsdb::Labels& whole, tsdb::HistogramPtr histogram) {
        room_ = room_ && budget_.take(whole);
        if (!room_) return;
        batch_.samples.push_back({whole, {time_, tsdb::histogram_marker()}, std::move(histogram), start_});
        batch_.point_of.push_back(number_);
        add_exemplars(whole, otlp_exemplars(point, options_.names));
    }

    void add_classic(const Point& point) {
        std::vector<tsdb::Exemplar> exemplars = otlp_exemplars(point, options_.names);
        double below = -std::numeric_limits<double>::infinity();
        const auto add_bucket = [&](double bound, double count) {
            tsdb::Labels series = named(name_ + "_bucket", "le", bound_text(bound));
            add(series, count);
            std::vector<tsdb::Exemplar> mine;
            for (const auto& one : exemplars) {
                if (one.value > below && one.value <= bound) mine.push_back(one);
            }
            add_exemplars(series, std::move(mine));
            below = bound;
        };
        std::uint64_t cumulative = 0;
        for (std::size_t i = 0; i < point.bounds.size(); ++i) {
            if (std::isinf(point.bounds[i])) break;  // The last bucket is written below in any case.
            if (i < point.bucket_counts.size()) cumulative += point.bucket_counts[i];
            add_bucket(point.bounds[i], static_cast<double>(cumulative));
        }
        add_bucket(std::numeric_limits<double>::infinity(), static_cast<double>(point.count));
        if (point.sum || stale_) add(named(name_ + "_sum"), point.sum.value_or(0));
        add(named(name_ + "_count"), static_cast<double>(point.count));
    }

    void add_summary(const Point& point) {
        add(named(name_ + "_sum"), point.sum.value_or(0));
        add(named(name_ + "_count"), static_cast<double>(point.count));
        start_ = 0;  // Quantiles do not count.
        for (const auto& [quantile, value] : point.quantiles) {
            add(named(name_, "quantile", bound_text(quantile)), value);
        }
    }

    void add(tsdb::Labels labels, double value) {
        room_ = room_ && budget_.take(labels);
        if (!room_) return;
        batch_.samples.push_back({std::move(labels), {time_, stale_ ? tsdb::stale_marker() : value}, {}, start_});
        batch_.point_of.push_back(number_);
    }

    void add_exemplars(const tsdb::Labels& series, std::vector<tsdb::Exemplar> exemplars) {
        if (!exemplars.empty()) batch_.exemplars.push_back({series, std::move(exemplars)});
    }

    tsdb::Labels named(const std::string& name, const char* extra = nullptr, std::string value = {}) const {
        std::vector<tsdb::Labels::Pair> pairs;
        pairs.reserve(labels_.size() + 2);
        pairs.assign(labels_.begin(), labels_.end());
        if (extra != nullptr) pairs.emplace_back(extra, std::move(value));
        pairs.emplace_back(std::string(tsdb::kMetricName), name);
        return tsdb::Labels(std::move(pairs));
    }

    // From the first of the resource's points to the last, close enough that a join finds it at each of them.
    void add_target_info() {
        if (newest_ == 0) return;
        const tsdb::Labels labels = resource_->target_info();
        if (labels.empty() || !check_labels(labels, options_.labels)) return;
        const std::int64_t step = std::max<std::int64_t>(options_.target_info_interval.count(), 1000);
        std::vector<std::int64_t> times;
        for (std::int64_t t = newest_; t > oldest_ && times.size() < kMostTargetInfoSamples; t -= step) {
            times.push_back(t);
        }
        if (times.size() < kMostTargetInfoSamples) times.push_back(oldest_);
        for (auto time = times.rbegin(); time != times.rend(); ++time) {
            batch_.samples.push_back({labels, {*time, 1}, {}, 0});
            batch_.point_of.push_back(OtlpBatch::kNoPoint);
        }
        batch_.metadata.push_back({"target_info", {"gauge", "Target metadata", ""}});
    }

    const OtlpOptions& options_;
    OtlpDeltas& deltas_;
    OtlpBatch batch_;
    LabelBudget budget_;
    bool room_ = true;  // False: the budget is spent, and no point more is taken.
    // Of the resource, the metric and the point at hand.
    const OtlpResource* resource_ = nullptr;
    std::int64_t oldest_ = 0;
    std::int64_t newest_ = 0;
    const Metric* metric_ = nullptr;
    std::string name_;
    std::uint32_t number_ = 0;
    Map labels_;
    std::int64_t time_ = 0;
    std::int64_t start_ = 0;
    bool stale_ = false;
};

}  // namespace

void OtlpBatch::refuse(std::uint32_t point, std::string reason) {
    refused.push_back(point);
    explain(std::move(reason));
}

void OtlpBatch::explain(std::string reason) {
    const bool known = std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
    if (!known && reasons.size() < kMostReasons) reasons.push_back(std::move(reason));
}

bool has_deltas(const wire::otlp::MetricsRequest& request) {
    for (const auto& resource : request.resources) {
        for (const auto& scope : resource.scopes) {
            for (const auto& metric : scope.metrics) {
                if (metric.temporality == Temporality::Delta) return true;
            }
        }
    }
    return false;
}

OtlpBatch convert_otlp(wire::otlp::MetricsRequest request, const OtlpOptions& options, OtlpDeltas& deltas) {
    return Converter(options, deltas).run(request);
}

}  // namespace stoker::collect
