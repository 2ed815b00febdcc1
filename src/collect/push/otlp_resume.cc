#include "collect/push/otlp_resume.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "collect/push/otlp_histogram.h"

namespace stoker::collect {
namespace {

using wire::otlp::Kind;
using wire::otlp::Point;

struct Last {
    tsdb::Sample sample;
    tsdb::HistogramPtr histogram;
};

// The newest sample that is no staleness marker.
std::optional<Last> last_of(const tsdb::Series& series) {
    std::optional<Last> last;
    const auto samples = series.samples();
    for (tsdb::Sample sample; samples->next(sample);) {
        const tsdb::HistogramPtr& histogram = samples->histogram();
        if (histogram != nullptr ? histogram->stale() : tsdb::is_stale(sample.value)) continue;
        last = Last{sample, histogram};
    }
    // What can't be read whole may have gone on further.
    return samples->status() ? last : std::nullopt;
}

class Reader {
public:
    Reader(const tsdb::Querier& store, const tsdb::Labels& series, std::int64_t since, std::int64_t until)
        : store_(store), series_(series), since_(since), until_(until) {}

    std::optional<Last> exact(const std::string& suffix = {}) const {
        const tsdb::Labels wanted = named(suffix);
        for (const auto& one : matching(wanted)) {
            if (one->labels() == wanted) return last_of(*one);
        }
        return std::nullopt;
    }

    // The newest counts of the classic buckets by their bounds; nothing unless they are all of one moment.
    std::optional<std::map<double, double>> buckets(std::int64_t& time) const {
        const tsdb::Labels wanted = named("_bucket");
        std::map<double, double> counts;
        for (const auto& one : matching(wanted)) {
            const auto bound = parse_number(one->labels().get("le"));
            if (!bound || one->labels().without({"le"}) != wanted) continue;
            const auto last = last_of(*one);
            if (!last) continue;
            if (!counts.empty() && last->sample.time != time) return std::nullopt;
            time = last->sample.time;
            counts[*bound] = last->sample.value;
        }
        const bool whole = !counts.empty() && std::isinf(counts.rbegin()->first);
        return whole ? std::optional(std::move(counts)) : std::nullopt;
    }

private:
    tsdb::Labels named(const std::string& suffix) const {
        return series_.with(tsdb::kMetricName, std::string(series_.metric()) + suffix);
    }
    std::vector<std::shared_ptr<tsdb::Series>> matching(const tsdb::Labels& labels) const {
        std::vector<tsdb::Matcher> matchers;
        for (const auto& [name, value] : labels) {
            matchers.push_back({std::string(name), tsdb::Matcher::Op::Equal, std::string(value)});
        }
        auto found = store_.select(matchers, since_, until_, 0);
        return found ? *std::move(found) : std::vector<std::shared_ptr<tsdb::Series>>();
    }

    const tsdb::Querier& store_;
    const tsdb::Labels& series_;
    const std::int64_t since_;
    const std::int64_t until_;
};

Point at(std::int64_t time) {
    Point point;
    point.time = static_cast<std::uint64_t>(time) * 1'000'000 + 999'999;
    return point;
}

std::uint64_t whole(double count) {
    return count > 0 ? static_cast<std::uint64_t>(std::llround(count)) : 0;
}

// Others may write histograms under the same name, with buckets as far apart as they like.
constexpr std::int64_t kMostBuckets = 4096;

// False if they lie too far apart. Of exponential buckets, those of OTLP have an index that is one lower.
bool exponential(const std::vector<tsdb::BucketSpan>& spans, const std::vector<double>& counts,
                 wire::otlp::Buckets& out) {
    std::int64_t index = 0;
    std::size_t next = 0;
    for (const tsdb::BucketSpan& span : spans) {
        index += span.offset;
        if (next == 0) out.offset = static_cast<std::int32_t>(index - 1);
        if (index + span.length - out.offset > kMostBuckets) return false;
        out.counts.resize(static_cast<std::size_t>(index - 1 - out.offset));
        for (std::uint32_t i = 0; i < span.length && next < counts.size(); ++i, ++index) {
            out.counts.push_back(whole(counts[next++]));
        }
    }
    return true;
}

std::optional<Point> exponential(const Last& last) {
    const tsdb::Histogram& from = *last.histogram;
    Point out = at(last.sample.time);
    out.scale = from.schema;
    out.count = whole(from.count);
    out.sum = from.sum;
    out.zero_count = whole(from.zero_count);
    out.zero_threshold = from.zero_threshold == kDefaultZeroThreshold ? 0 : from.zero_threshold;
    const bool near = exponential(from.positive_spans, from.positive, out.positive) &&
                      exponential(from.negative_spans, from.negative, out.negative);
    return near ? std::optional(std::move(out)) : std::nullopt;
}

Point custom(const Last& last) {
    const tsdb::Histogram& from = *last.histogram;
    Point out = at(last.sample.time);
    out.count = whole(from.count);
    out.sum = from.sum;
    out.bounds = from.custom_bounds;
    out.bucket_counts.resize(out.bounds.size() + 1);
    std::int64_t index = 0;
    std::size_t next = 0;
    for (const tsdb::BucketSpan& span : from.positive_spans) {
        index += span.offset;
        for (std::uint32_t i = 0; i < span.length && next < from.positive.size(); ++i, ++index) {
            const auto bucket = static_cast<std::size_t>(index);
            if (bucket < out.bucket_counts.size()) out.bucket_counts[bucket] = whole(from.positive[next]);
            ++next;
        }
    }
    return out;
}

std::optional<Point> classic(const Reader& reader) {
    std::int64_t time = 0;
    const auto buckets = reader.buckets(time);
    if (!buckets) return std::nullopt;
    Point out = at(time);
    double below = 0;
    for (const auto& [bound, count] : *buckets) {
        out.bucket_counts.push_back(whole(count - below));
        if (!std::isinf(bound)) out.bounds.push_back(bound);
        below = count;
    }
    out.count = whole(below);
    if (const auto sum = reader.exact("_sum"); sum && sum->sample.time == time) out.sum = sum->sample.value;
    return out;
}

}  // namespace

std::optional<Point> last_total(const tsdb::Querier& store, const tsdb::Labels& series, Kind kind, const Point& like,
                                std::int64_t since, std::int64_t until) {
    const Reader reader(store, series, since, until);
    const auto last = reader.exact();
    if (kind == Kind::Sum) {
        if (!last || last->histogram != nullptr) return std::nullopt;
        Point out = at(last->sample.time);
        out.value = last->sample.value;
        return out;
    }
    if (kind == Kind::ExponentialHistogram) {
        if (!last || last->histogram == nullptr || last->histogram->custom()) return std::nullopt;
        return exponential(*last);
    }
    const bool native = last && last->histogram != nullptr && last->histogram->custom();
    std::optional<Point> out = native ? custom(*last) : classic(reader);
    // A histogram that has but its count and sum says so in two ways.
    if (out && out->bounds.empty() && like.bucket_counts.empty()) out->bucket_counts.clear();
    return out;
}

}  // namespace stoker::collect
