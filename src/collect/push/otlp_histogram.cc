#include "collect/push/otlp_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "tsdb/querier.h"

namespace stoker::collect {
namespace {

using wire::otlp::Buckets;
using wire::otlp::Point;

Error invalid(std::string message) {
    return {Errc::InvalidArgument, std::move(message)};
}

// A run of at most so many empty buckets is written out: a span of its own would be larger.
constexpr std::int64_t kBridged = 2;

struct Side {
    std::vector<tsdb::BucketSpan>& spans;
    std::vector<double>& counts;
    std::int64_t next = 0;  // The index after the last one written.

    void add(std::int64_t index, double count) {
        const std::int64_t gap = index - next;
        if (spans.empty() || gap > kBridged) {
            spans.push_back({static_cast<std::int32_t>(gap), 0});
        } else {
            counts.insert(counts.end(), static_cast<std::size_t>(gap), 0.0);
            spans.back().length += static_cast<std::uint32_t>(gap);
        }
        counts.push_back(count);
        ++spans.back().length;
        next = index + 1;
    }
};

// Merges 2^shift neighbours into one and writes the populated ones down.
Result<Unit> fill(const Buckets& buckets, int shift, Side side) {
    std::int64_t index = 0;
    double count = 0;
    for (std::size_t i = 0; i <= buckets.counts.size(); ++i) {
        const std::int64_t at = (buckets.offset + static_cast<std::int64_t>(i)) >> shift;
        const bool ended = i == buckets.counts.size();
        if (count > 0 && (ended || at != index)) {
            if (index + 1 > std::numeric_limits<std::int32_t>::max()) return invalid("a bucket's index is too large");
            side.add(index + 1, count);
            count = 0;
        }
        if (ended) break;
        index = at;
        count += static_cast<double>(buckets.counts[i]);
    }
    return Unit{};
}

// A no-recorded-value point has nothing but its time: it ends the series.
void set_totals(const Point& point, tsdb::Histogram& out) {
    out.sum = point.no_recorded_value() ? tsdb::stale_marker() : point.sum.value_or(0);
    out.count = static_cast<double>(point.count);
}

Result<tsdb::HistogramPtr> checked(tsdb::Histogram histogram) {
    if (!histogram.stale()) TRY_UNIT(tsdb::validate(histogram));
    return tsdb::HistogramPtr(std::make_shared<const tsdb::Histogram>(std::move(histogram)));
}

// The highest index populated, and the lowest; false if there is none.
bool range(const Buckets& buckets, std::int64_t& low, std::int64_t& high) {
    bool any = false;
    for (std::size_t i = 0; i < buckets.counts.size(); ++i) {
        if (buckets.counts[i] == 0) continue;
        const std::int64_t index = buckets.offset + static_cast<std::int64_t>(i);
        low = any ? std::min(low, index) : index;
        high = any ? std::max(high, index) : index;
        any = true;
    }
    return any;
}

// How many buckets lie between the populated ends of both, once 2^shift neighbours are one.
std::int64_t width(const Buckets& a, int shift_a, const Buckets& b, int shift_b) {
    std::int64_t low_a = 0, high_a = 0, low_b = 0, high_b = 0;
    const bool has_a = range(a, low_a, high_a);
    const bool has_b = range(b, low_b, high_b);
    if (!has_a && !has_b) return 0;
    if (!has_a) return (high_b >> shift_b) - (low_b >> shift_b) + 1;
    if (!has_b) return (high_a >> shift_a) - (low_a >> shift_a) + 1;
    return std::max(high_a >> shift_a, high_b >> shift_b) - std::min(low_a >> shift_a, low_b >> shift_b) + 1;
}

void add_buckets(Buckets& into, int shift_into, const Buckets& more, int shift_more) {
    std::int64_t low_a = 0, high_a = 0, low_b = 0, high_b = 0;
    const bool has_a = range(into, low_a, high_a);
    const bool has_b = range(more, low_b, high_b);
    Buckets sum;
    if (has_a || has_b) {
        std::int64_t low = std::numeric_limits<std::int64_t>::max();
        if (has_a) low = low_a >> shift_into;
        if (has_b) low = std::min(low, low_b >> shift_more);
        sum.offset = static_cast<std::int32_t>(low);
        sum.counts.resize(static_cast<std::size_t>(width(into, shift_into, more, shift_more)));
        const auto take = [&](const Buckets& from, int shift) {
            for (std::size_t i = 0; i < from.counts.size(); ++i) {
                if (from.counts[i] == 0) continue;
                const std::int64_t index = (from.offset + static_cast<std::int64_t>(i)) >> shift;
                sum.counts[static_cast<std::size_t>(index - low)] += from.counts[i];
            }
        };
        take(into, shift_into);
        take(more, shift_more);
    }
    into = std::move(sum);
}

double upper_bound(std::int64_t index, std::int32_t scale) {
    return std::exp2(static_cast<double>(index + 1) * std::exp2(-scale));
}

// Widens the zero bucket to `threshold`, and on to the end of a populated bucket that this would cut in two.
void widen_zero(Point& point, double threshold) {
    if (!(threshold > point.zero_threshold)) return;
    point.zero_threshold = threshold;
    for (const Buckets* side : {&point.positive, &point.negative}) {
        for (std::size_t i = 0; i < side->counts.size(); ++i) {
            const std::int64_t index = side->offset + static_cast<std::int64_t>(i);
            if (side->counts[i] == 0 || !(upper_bound(index - 1, point.scale) < threshold)) continue;
            point.zero_threshold = std::max(point.zero_threshold, upper_bound(index, point.scale));
        }
    }
    for (Buckets* side : {&point.positive, &point.negative}) {
        for (std::size_t i = 0; i < side->counts.size(); ++i) {
            const std::int64_t index = side->offset + static_cast<std::int64_t>(i);
            if (upper_bound(index, point.scale) > point.zero_threshold) break;
            point.zero_count += side->counts[i];
            side->counts[i] = 0;
        }
    }
}

}  // namespace

Result<tsdb::HistogramPtr> native_histogram(const Point& point) {
    if (point.scale < tsdb::Histogram::kMinSchema) {
        return invalid("the scale " + std::to_string(point.scale) + " is coarser than -4, the least that can be kept");
    }
    tsdb::Histogram out;
    out.schema = std::min(point.scale, tsdb::Histogram::kMaxSchema);
    out.zero_threshold = point.zero_threshold > 0 ? point.zero_threshold : kDefaultZeroThreshold;
    set_totals(point, out);
    if (point.no_recorded_value()) return checked(std::move(out));
    out.zero_count = static_cast<double>(point.zero_count);
    // Shifting by more than the 33 bits that an index can have would change nothing.
    const int shift = std::min(point.scale - out.schema, 40);
    TRY_UNIT(fill(point.positive, shift, {out.positive_spans, out.positive}));
    TRY_UNIT(fill(point.negative, shift, {out.negative_spans, out.negative}));
    return checked(std::move(out));
}

Result<Unit> check_exponential(const Point& point) {
    constexpr std::int32_t kFinest = 32;
    if (point.scale < tsdb::Histogram::kMinSchema || point.scale > kFinest) {
        return invalid("the scale " + std::to_string(point.scale) + " is not between -4 and 32");
    }
    for (const Buckets* side : {&point.positive, &point.negative}) {
        if (side->offset + static_cast<std::int64_t>(side->counts.size()) > std::numeric_limits<std::int32_t>::max()) {
            return invalid("a bucket's index is too large");
        }
    }
    return Unit{};
}

Result<Unit> check_buckets(const Point& point) {
    if (point.bucket_counts.empty() && point.bounds.empty()) return Unit{};
    if (point.bucket_counts.size() != point.bounds.size() + 1) {
        return invalid(std::to_string(point.bucket_counts.size()) + " buckets for " +
                       std::to_string(point.bounds.size()) + " bounds: one more than bounds is right");
    }
    for (std::size_t i = 0; i < point.bounds.size(); ++i) {
        if (std::isnan(point.bounds[i]) || (i > 0 && point.bounds[i] <= point.bounds[i - 1])) {
            return invalid("the bounds do not ascend");
        }
    }
    const auto total = std::accumulate(point.bucket_counts.begin(), point.bucket_counts.end(), std::uint64_t{0});
    if (total > point.count) {
        return invalid("the buckets hold " + std::to_string(total) + " observations, the count says " +
                       std::to_string(point.count));
    }
    return Unit{};
}

Result<tsdb::HistogramPtr> custom_histogram(const Point& point) {
    tsdb::Histogram out;
    out.schema = tsdb::Histogram::kCustomBuckets;
    set_totals(point, out);
    out.custom_bounds = point.bounds;
    if (!out.custom_bounds.empty() && std::isinf(out.custom_bounds.back()) && out.custom_bounds.back() > 0) {
        out.custom_bounds.pop_back();
    }
    if (point.no_recorded_value()) return checked(std::move(out));
    TRY_UNIT(check_buckets(point));
    Side side{out.positive_spans, out.positive};
    double counted = 0;
    const std::size_t last = out.custom_bounds.size();  // The bucket up to +Inf.
    for (std::size_t i = 0; i < last && i < point.bucket_counts.size(); ++i) {
        const auto count = static_cast<double>(point.bucket_counts[i]);
        if (count > 0) side.add(static_cast<std::int64_t>(i), count);
        counted += count;
    }
    // What no bucket claims is above the last bound.
    if (out.count > counted) side.add(static_cast<std::int64_t>(last), out.count - counted);
    return checked(std::move(out));
}

void add_exponential(Point& into, Point more, std::size_t most_buckets) {
    std::int32_t scale = std::min(into.scale, more.scale);
    const auto shift_of = [&](const Point& point) { return point.scale - scale; };
    const auto too_wide = [&](const Buckets& a, const Buckets& b) {
        return width(a, shift_of(into), b, shift_of(more)) > static_cast<std::int64_t>(most_buckets);
    };
    while (too_wide(into.positive, more.positive) || too_wide(into.negative, more.negative)) --scale;

    // Thresholds first, each at its own resolution, where buckets are narrow; twice, as one may have moved the other.
    for (int i = 0; i < 2; ++i) {
        widen_zero(into, more.zero_threshold);
        widen_zero(more, into.zero_threshold);
    }
    add_buckets(into.positive, shift_of(into), more.positive, shift_of(more));
    add_buckets(into.negative, shift_of(into), more.negative, shift_of(more));
    into.scale = scale;
    into.zero_count += more.zero_count;
    into.zero_threshold = std::max(into.zero_threshold, more.zero_threshold);
    into.count += more.count;
    if (into.sum && more.sum) {
        *into.sum += *more.sum;
    } else {
        into.sum.reset();
    }
}

}  // namespace stoker::collect
