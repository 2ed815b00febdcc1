#include "collect/push/otlp_deltas.h"

#include "collect/push/otlp_histogram.h"
#include "collect/push/otlp_resume.h"

namespace stoker::collect {
namespace {

using wire::otlp::Kind;
using wire::otlp::Point;

Point without_decoration(const Point& point) {
    Point out = point;
    out.attributes.clear();
    out.exemplars.clear();
    return out;
}

// Whether the two can be added at all; if not (another set of bounds), the series starts anew.
bool compatible(Kind kind, const Point& total, const Point& point) {
    return kind != Kind::Histogram ||
           (total.bounds == point.bounds && total.bucket_counts.size() == point.bucket_counts.size());
}

void add_to(Kind kind, Point& total, const Point& point) {
    total.time = point.time;
    if (kind == Kind::ExponentialHistogram) return add_exponential(total, without_decoration(point));
    if (kind == Kind::Sum) {
        total.value = total.value.value_or(0) + point.value.value_or(0);
        return;
    }
    total.count += point.count;
    for (std::size_t i = 0; i < point.bucket_counts.size(); ++i) total.bucket_counts[i] += point.bucket_counts[i];
    if (total.sum && point.sum) {
        *total.sum += *point.sum;
    } else {
        total.sum.reset();
    }
}

// The total, in the place of the delta: what stays is the point's own decoration and time.
void replace(Point& point, const Point& total) {
    Point out = total;
    out.attributes = std::move(point.attributes);
    out.exemplars = std::move(point.exemplars);
    out.flags = point.flags;
    point = std::move(out);
}

}  // namespace

Result<Unit> OtlpDeltas::add(const tsdb::Labels& series, Kind kind, Point& point) {
    auto mine = round_.find(series);
    if (mine == round_.end()) {
        const auto known = series_.find(series);
        if (known == series_.end() && series_.size() + round_.size() >= options_.max_series) {
            return Error{Errc::ResourceExhausted, "more than " + std::to_string(options_.max_series) +
                                                      " series with delta temporality: let the exporter send "
                                                      "cumulative ones"};
        }
        mine = round_.emplace(series, known == series_.end() ? resumed(series, kind, point) : known->second).first;
    }
    Sum& sum = mine->second;
    if (sum.kind != kind || !compatible(kind, sum.total, point)) {
        sum = Sum{kind, without_decoration(point), {}};
        // A first delta without a start still began before it ended.
        if (sum.total.start == 0) sum.total.start = point.time;
        point.start = sum.total.start;
        return Unit{};
    }
    if (point.time <= sum.total.time || (point.start != 0 && point.start < sum.total.start)) {
        return Error{Errc::InvalidArgument,
                     "the delta ends before what was counted already: out of order, or repeated"};
    }
    add_to(kind, sum.total, point);
    replace(point, sum.total);
    return Unit{};
}

OtlpDeltas::Sum OtlpDeltas::resumed(const tsdb::Labels& series, Kind kind, const Point& point) const {
    if (history_ == nullptr) return {};
    const auto time = static_cast<std::int64_t>(point.time / 1'000'000);
    const std::int64_t range = options_.forget_after.count();
    auto total = last_total(*history_, series, kind, point, time - range, time + range);
    return total ? Sum{kind, *std::move(total), {}} : Sum{};
}

void OtlpDeltas::commit(Timestamp now) {
    for (auto& [labels, sum] : round_) {
        sum.used = now;
        series_.insert_or_assign(labels, std::move(sum));
    }
    round_.clear();
    forget_idle(now);
}

void OtlpDeltas::forget_idle(Timestamp now) {
    constexpr Duration kEvery{60'000};
    if (now - forgot_ < kEvery) return;
    forgot_ = now;
    std::erase_if(series_, [&](const auto& entry) { return now - entry.second.used > options_.forget_after; });
}

}  // namespace stoker::collect
