#include "promql/histogram_functions.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "promql/evaluator.h"
#include "promql/format.h"
#include "promql/histogram_estimates.h"
#include "promql/kahan.h"
#include "promql/lexer.h"
#include "tsdb/histogram_buckets.h"

namespace stoker::promql {

namespace {

struct ClassicHistogram {
    tsdb::Labels labels;  // All but "le".
    bool drop_name = false;
    std::vector<std::pair<double, const Column*>> buckets;
};

// The argument sorted into classic histograms and series with native ones. Where one name has both at a step, neither
// counts there.
class Histograms {
public:
    Histograms(Evaluator& evaluator, const Frame& frame, std::size_t place) : evaluator_(evaluator), place_(place) {
        for (const Column& column : frame) {
            if (!column.histograms.empty()) natives_.push_back(&column);
            add_classic(column);
        }
        for (const Column* native : natives_) find_conflicts(*native);
    }

    // One column a histogram, with `native(histogram)` or `classic(buckets, step)` for values.
    template <typename Native, typename Classic>
    Result<Frame> map(Native native, Classic classic) const {
        Frame result;
        for (const Column* source : natives_) {
            Column column = start(source->labels, source->drop_name, source->values.size());
            for (std::size_t step = 0; step < column.values.size(); ++step) {
                const tsdb::HistogramPtr& histogram = source->histograms[step];
                if (!histogram || conflicts(source->labels, step)) continue;
                column.values[step] = native(*histogram, step, name_of(*source));
            }
            keep(result, std::move(column));
        }
        std::vector<ClassicBucket> buckets;
        for (const ClassicHistogram& source : classics_) {
            TRY_UNIT(evaluator_.context().check());
            Column column = start(source.labels, source.drop_name, evaluator_.steps().count);
            for (std::size_t step = 0; step < column.values.size(); ++step) {
                buckets.clear();
                for (const auto& [bound, bucket] : source.buckets) {
                    if (is_number(bucket->values[step])) buckets.push_back({bound, bucket->values[step]});
                }
                if (buckets.empty() || conflicts(source.labels, step)) continue;
                column.values[step] = classic(buckets, step, named() ? source.labels.metric() : std::string_view{});
            }
            keep(result, std::move(column));
        }
        return result;
    }

private:
    // Messages name the metric only where the name is still there when they come up.
    bool named() const { return evaluator_.context().name_removal() == NameRemoval::Delayed; }
    std::string_view name_of(const Column& column) const {
        return named() ? column.labels.metric() : std::string_view{};
    }

    Column start(const tsdb::Labels& labels, bool drop, std::size_t steps) const {
        Column column{labels, missing_values(steps)};
        column.drop_name = drop;
        promql::drop_name(column, evaluator_.context().name_removal());
        return column;
    }

    static void keep(Frame& frame, Column column) {
        if (any_present(column.values)) frame.push_back(std::move(column));
    }

    void add_classic(const Column& column) {
        const auto number = [](double value) { return is_number(value); };
        if (std::none_of(column.values.begin(), column.values.end(), number)) return;
        double bound = 0;
        const std::string_view le = column.labels.get("le");
        if (!read_number(le, bound)) {
            evaluator_.context().warn("bucket label \"le\" is missing or has a malformed value of " + quote(le) +
                                          notes::for_metric(name_of(column)),
                                      place_);
            return;
        }
        tsdb::Labels labels = column.labels.with("le", "");
        const auto [at, fresh] = index_.emplace(labels, classics_.size());
        if (fresh) classics_.push_back({std::move(labels), false, {}});
        ClassicHistogram& histogram = classics_[at->second];
        histogram.drop_name = histogram.drop_name || column.drop_name;
        histogram.buckets.emplace_back(bound, &column);
    }

    void find_conflicts(const Column& native) {
        const auto found = index_.find(native.labels);
        if (found == index_.end()) return;
        std::vector<bool> both(native.values.size(), false);
        for (std::size_t step = 0; step < both.size(); ++step) {
            const auto there = [&](const auto& bucket) { return is_number(bucket.second->values[step]); };
            const auto& buckets = classics_[found->second].buckets;
            both[step] = native.histograms[step] && std::any_of(buckets.begin(), buckets.end(), there);
            if (!both[step]) continue;
            evaluator_.context().warn(
                "vector contains a mix of classic and native histograms" + notes::for_metric(name_of(native)), place_);
        }
        conflicts_.emplace(native.labels, std::move(both));
    }

    bool conflicts(const tsdb::Labels& labels, std::size_t step) const {
        const auto found = conflicts_.find(labels);
        return found != conflicts_.end() && found->second[step];
    }

    Evaluator& evaluator_;
    std::size_t place_;
    std::vector<const Column*> natives_;
    std::vector<ClassicHistogram> classics_;
    std::unordered_map<tsdb::Labels, std::size_t> index_;
    std::unordered_map<tsdb::Labels, std::vector<bool>> conflicts_;
};

// Places in the query for what there is to say: Prometheus has its own idea of each.
struct Places {
    std::size_t vector = 0;
    std::size_t nan = 0;
    std::size_t mended = 0;
};

Result<Frame> quantile_of(Evaluator& evaluator, const Histograms& histograms, const std::vector<double>& quantiles,
                          Places places) {
    Context& context = evaluator.context();
    return histograms.map(
        [&](const tsdb::Histogram& histogram, std::size_t step, std::string_view name) {
            std::string_view note;
            const double value = native_quantile(quantiles[step], histogram, note);
            if (!note.empty()) context.inform(std::string(note) + notes::for_metric(name), places.nan);
            return value;
        },
        [&](std::vector<ClassicBucket>& buckets, std::size_t step, std::string_view name) {
            Notes::Mended mended;
            mended.first_time = mended.last_time = evaluator.steps().at(step);
            bool forced = false;
            const double value = classic_quantile(quantiles[step], buckets, mended, forced);
            if (forced) context.notes().mended(name, mended, places.mended);
            return value;
        });
}

void check_quantiles(Context& context, const std::vector<double>& quantiles, std::size_t place) {
    for (const double q : quantiles) {
        if (!(q >= 0 && q <= 1)) context.warn(notes::bad_quantile(q), place);
    }
}

// As OpenMetrics writes the label "quantile": 1 is "1.0".
std::string open_metrics_number(double value) {
    std::string text = format_general(value);
    if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

double variance(const tsdb::Histogram& histogram) {
    const double mean = histogram.sum / histogram.count;
    KahanSum squares;
    for (const tsdb::Bucket& bucket : tsdb::all_buckets(histogram)) {
        if (bucket.count == 0) continue;
        double middle = 0;
        if (histogram.custom()) {
            middle = (bucket.upper + bucket.lower) / 2;
        } else if (bucket.lower > 0 || bucket.upper < 0) {
            middle = std::copysign(std::sqrt(bucket.upper * bucket.lower), bucket.upper);
        }
        const double delta = middle - mean;
        squares.add(bucket.count * delta * delta);
    }
    return (squares.raw() + squares.correction()) / histogram.count;
}

}  // namespace

double fn_histogram_count(const tsdb::Histogram& histogram) {
    return histogram.count;
}
double fn_histogram_sum(const tsdb::Histogram& histogram) {
    return histogram.sum;
}
double fn_histogram_avg(const tsdb::Histogram& histogram) {
    return histogram.sum / histogram.count;
}
double fn_histogram_stdvar(const tsdb::Histogram& histogram) {
    return variance(histogram);
}
double fn_histogram_stddev(const tsdb::Histogram& histogram) {
    return std::sqrt(variance(histogram));
}

Result<Frame> fn_histogram_quantile(Evaluator& evaluator, const Expr&, const Call& call) {
    TRY(const std::vector<double> quantiles, evaluator.eval_scalar(*call.args[0]));
    TRY(const Frame frame, evaluator.eval(*call.args[1]));
    const std::size_t first = unwrap(*call.args[0]).begin;
    const std::size_t second = unwrap(*call.args[1]).begin;
    check_quantiles(evaluator.context(), quantiles, first);
    const Histograms histograms(evaluator, frame, second);
    TRY(Frame result, quantile_of(evaluator, histograms, quantiles, {second, first, second}));
    return finish_function(evaluator.context(), std::move(result));
}

Result<Frame> fn_histogram_quantiles(Evaluator& evaluator, const Expr&, const Call& call) {
    TRY(const Frame frame, evaluator.eval(*call.args[0]));
    const std::string& label = unwrap(*call.args[1]).as<StringLiteral>()->value;
    const std::size_t place = unwrap(*call.args[0]).begin;
    const Histograms histograms(evaluator, frame, place);
    Frame all;
    for (std::size_t i = 2; i < call.args.size(); ++i) {
        TRY(const std::vector<double> quantiles, evaluator.eval_scalar(*call.args[i]));
        check_quantiles(evaluator.context(), quantiles, unwrap(*call.args[i]).begin);
        TRY(Frame result, quantile_of(evaluator, histograms, quantiles, {place, place, place}));
        // A quantile that changes over time is another label at each step.
        for (Column& column : result) {
            std::unordered_map<std::string, std::size_t> by_quantile;
            for (std::size_t step = 0; step < quantiles.size(); ++step) {
                if (!present(column.values[step])) continue;
                const auto [at, fresh] = by_quantile.emplace(open_metrics_number(quantiles[step]), all.size());
                if (fresh) {
                    TRY_UNIT(evaluator.context().charge(quantiles.size()));
                    all.push_back({column.labels.with(label, at->first), missing_values(quantiles.size())});
                    all.back().drop_name = column.drop_name;
                }
                all[at->second].values[step] = column.values[step];
            }
        }
    }
    return finish_function(evaluator.context(), std::move(all));
}

Result<Frame> fn_histogram_fraction(Evaluator& evaluator, const Expr&, const Call& call) {
    TRY(const std::vector<double> lower, evaluator.eval_scalar(*call.args[0]));
    TRY(const std::vector<double> upper, evaluator.eval_scalar(*call.args[1]));
    TRY(const Frame frame, evaluator.eval(*call.args[2]));
    Context& context = evaluator.context();
    const std::size_t place = unwrap(*call.args[0]).begin;
    const Histograms histograms(evaluator, frame, unwrap(*call.args[2]).begin);
    TRY(Frame result, histograms.map(
                          [&](const tsdb::Histogram& histogram, std::size_t step, std::string_view name) {
                              std::string_view note;
                              const double value = native_fraction(lower[step], upper[step], histogram, note);
                              if (!note.empty()) context.inform(std::string(note) + notes::for_metric(name), place);
                              return value;
                          },
                          [&](std::vector<ClassicBucket>& buckets, std::size_t step, std::string_view) {
                              return classic_fraction(lower[step], upper[step], buckets);
                          }));
    return finish_function(context, std::move(result));
}

}  // namespace stoker::promql
