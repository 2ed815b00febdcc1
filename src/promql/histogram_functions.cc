// histogram_quantile over classic histograms: series of one name that differ in the label "le".
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "promql/evaluator.h"
#include "promql/format.h"
#include "promql/frame_functions.h"
#include "promql/lexer.h"

namespace stoker::promql {

namespace {

struct Bucket {
    double upper_bound;
    double count;  // Cumulative.
};

// Rounding in sums of rates makes counts differ in the last digits; so much, relatively, is taken for equal.
constexpr double kSmallDelta = 1e-12;

bool almost_equal(double a, double b) {
    if (a == b) return true;
    const double sum = std::abs(a) + std::abs(b);
    const double difference = std::abs(a - b);
    const double smallest = std::numeric_limits<double>::min();
    if (a == 0 || b == 0 || sum < smallest) return difference < kSmallDelta * smallest;
    return difference / std::min(sum, std::numeric_limits<double>::max()) < kSmallDelta;
}

// Buckets with one bound become one.
void coalesce(std::vector<Bucket>& buckets) {
    std::size_t last = 0;
    for (std::size_t i = 1; i < buckets.size(); ++i) {
        if (buckets[i].upper_bound == buckets[last].upper_bound) {
            buckets[last].count += buckets[i].count;
        } else {
            buckets[++last] = buckets[i];
        }
    }
    buckets.resize(last + 1);
}

// Cumulative counts may not fall; scrapes that raced with updates and sums over unlike buckets make them.
// Returns whether it had to raise one by more than rounding.
bool make_monotonic(std::vector<Bucket>& buckets) {
    bool forced = false;
    double previous = buckets[0].count;
    for (Bucket& bucket : buckets) {
        if (bucket.count == previous) continue;
        if (almost_equal(previous, bucket.count)) {
            bucket.count = previous;
        } else if (bucket.count < previous) {
            bucket.count = previous;
            forced = true;
        } else {
            previous = bucket.count;
        }
    }
    return forced;
}

// Linear interpolation within the bucket that holds the rank.
double bucket_quantile(double q, std::vector<Bucket>& buckets, bool& forced) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    if (std::isnan(q)) return nan;
    if (q < 0) return -std::numeric_limits<double>::infinity();
    if (q > 1) return std::numeric_limits<double>::infinity();
    std::sort(buckets.begin(), buckets.end(),
              [](const Bucket& a, const Bucket& b) { return a.upper_bound < b.upper_bound; });
    if (buckets.back().upper_bound != std::numeric_limits<double>::infinity()) return nan;
    coalesce(buckets);
    forced = make_monotonic(buckets);
    if (buckets.size() < 2) return nan;
    const double observations = buckets.back().count;
    if (observations == 0 || std::isnan(observations)) return nan;
    double rank = q * observations;
    std::size_t found = 0;
    while (found < buckets.size() - 1 && !(buckets[found].count >= rank)) ++found;
    if (found == buckets.size() - 1) return buckets[buckets.size() - 2].upper_bound;
    if (found == 0 && buckets[0].upper_bound <= 0) return buckets[0].upper_bound;
    double start = 0;
    double count = buckets[found].count;
    if (found > 0) {
        start = buckets[found - 1].upper_bound;
        count -= buckets[found - 1].count;
        rank -= buckets[found - 1].count;
    }
    return start + (buckets[found].upper_bound - start) * (rank / count);
}

struct Histogram {
    tsdb::Labels labels;
    std::vector<std::pair<double, const Column*>> buckets;
};

}  // namespace

Result<Frame> fn_histogram_quantile(Evaluator& evaluator, const Expr&, const Call& call) {
    TRY(const std::vector<double> quantiles, evaluator.eval_scalar(*call.args[0]));
    TRY(const Frame frame, evaluator.eval(*call.args[1]));
    Context& context = evaluator.context();
    for (const double q : quantiles) {
        if (q >= 0 && q <= 1) continue;
        context.warn("quantile value should be between 0 and 1, got " + format_float(q), call.args[0]->begin);
        break;
    }
    std::vector<Histogram> histograms;
    std::unordered_map<tsdb::Labels, std::size_t> index;
    for (const Column& column : frame) {
        double bound = 0;
        if (!read_number(column.labels.get("le"), bound)) {
            context.warn(
                "bucket label \"le\" is missing or has a malformed value of " + quote(column.labels.get("le")) +
                    (column.labels.metric().empty() ? "" : " for metric name " + quote(column.labels.metric())),
                call.args[1]->begin);
            continue;
        }
        tsdb::Labels labels = column.labels.without({"le", std::string(tsdb::kMetricName)});
        const auto [at, fresh] = index.emplace(labels, histograms.size());
        if (fresh) histograms.push_back({std::move(labels), {}});
        histograms[at->second].buckets.emplace_back(bound, &column);
    }
    Frame result;
    std::vector<Bucket> buckets;
    bool any_forced = false;
    for (Histogram& histogram : histograms) {
        TRY_UNIT(context.check());
        Column column{std::move(histogram.labels), missing_values(quantiles.size())};
        for (std::size_t step = 0; step < quantiles.size(); ++step) {
            buckets.clear();
            for (const auto& [bound, source] : histogram.buckets) {
                if (present(source->values[step])) buckets.push_back({bound, source->values[step]});
            }
            bool forced = false;
            if (!buckets.empty()) column.values[step] = bucket_quantile(quantiles[step], buckets, forced);
            any_forced = any_forced || forced;
        }
        result.push_back(std::move(column));
    }
    if (any_forced) {
        context.inform(
            "input to histogram_quantile needed to be fixed for monotonicity (see "
            "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)",
            call.args[1]->begin);
    }
    return result;
}

}  // namespace stoker::promql
