// Aggregations: series are sorted into groups once; then each group is folded step by step.
#include "promql/aggregate.h"

#include <cmath>
#include <limits>
#include <memory>
#include <unordered_map>
#include <utility>

#include "promql/format.h"
#include "promql/histogram_math.h"
#include "promql/kahan.h"
#include "promql/parser_state.h"

namespace stoker::promql {

namespace {

using internal::Group;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// One value out of the numbers present at a step, in the order of the series. REQUIRES: values not empty.
using Fold = double (*)(std::vector<double>& values, double param);

double fold_sum(std::vector<double>& values, double) {
    KahanSum sum;
    for (const double value : values) sum.add(value);
    return sum.value();
}

double fold_avg(std::vector<double>& values, double) {
    KahanMean mean;
    for (const double value : values) mean.add(value);
    return mean.value();
}

// NaN only wins when there is nothing else.
double fold_min(std::vector<double>& values, double) {
    double least = values[0];
    for (const double value : values) {
        if (value < least || std::isnan(least)) least = value;
    }
    return least;
}

double fold_max(std::vector<double>& values, double) {
    double most = values[0];
    for (const double value : values) {
        if (value > most || std::isnan(most)) most = value;
    }
    return most;
}

double fold_stdvar(std::vector<double>& values, double) {
    // Welford's method. Of an infinite first value no difference to the mean is known.
    double mean = values[0];
    double squares = std::isfinite(values[0]) ? 0 : kNaN;
    double count = 1;
    for (std::size_t i = 1; i < values.size(); ++i) {
        count += 1;
        const double delta = values[i] - mean;
        mean += delta / count;
        squares += delta * (values[i] - mean);
    }
    return squares / count;
}

double fold_stddev(std::vector<double>& values, double param) {
    return std::sqrt(fold_stdvar(values, param));
}

double fold_quantile(std::vector<double>& values, double param) {
    return quantile(param, std::move(values));
}

Fold fold_of(Aggregate::Op op) {
    switch (op) {
        case Aggregate::Op::Sum:
            return fold_sum;
        case Aggregate::Op::Avg:
            return fold_avg;
        case Aggregate::Op::Min:
            return fold_min;
        case Aggregate::Op::Max:
            return fold_max;
        case Aggregate::Op::Stddev:
            return fold_stddev;
        case Aggregate::Op::Stdvar:
            return fold_stdvar;
        default:
            return fold_quantile;
    }
}

// The points of a group at one step.
struct Members {
    std::vector<double> numbers;
    std::vector<std::size_t> histograms;  // Columns of the input.
};

// sum and avg of histograms.
class HistogramFold {
public:
    HistogramFold(Context& context, const Frame& input, std::size_t place, std::size_t step)
        : context_(context), input_(input), place_(place), step_(step) {}

    Point fold(bool mean, const std::vector<std::size_t>& columns) {
        const tsdb::Histogram& first = histogram(columns[0]);
        see(first);
        if (mean) return total(HistogramMean(first), columns);
        return total(HistogramSum(first), columns);
    }

private:
    const tsdb::Histogram& histogram(std::size_t column) const { return *input_[column].histograms[step_]; }

    void see(const tsdb::Histogram& histogram) {
        reset_ = reset_ || histogram.reset_hint == tsdb::Histogram::ResetHint::CounterReset;
        not_reset_ = not_reset_ || histogram.reset_hint == tsdb::Histogram::ResetHint::NotCounterReset;
    }

    template <typename Total>
    Point total(Total sum, const std::vector<std::size_t>& columns) {
        for (std::size_t i = 1; i < columns.size(); ++i) {
            const tsdb::Histogram& next = histogram(columns[i]);
            see(next);
            const Combination combined = sum.add(next);
            if (combined.incompatible) {
                context_.warn(notes::mixed_schemas(input_[columns[i]].labels.metric()), place_);
                return {};
            }
            if (combined.bounds_reconciled) context_.inform(notes::bounds_reconciled("aggregation"), place_);
        }
        if (reset_ && not_reset_) context_.warn(notes::hints_collide("aggregation"), place_);
        return {0, std::make_shared<const tsdb::Histogram>(sum.value())};
    }

    Context& context_;
    const Frame& input_;
    std::size_t place_;
    std::size_t step_;
    bool reset_ = false;
    bool not_reset_ = false;
};

class Folder {
public:
    Folder(Context& context, const Aggregate& node, const Frame& input)
        : context_(context), node_(node), input_(input), place_(unwrap(*node.inner).begin), fold_(fold_of(node.op)) {}

    Point fold(Members& members, double param, std::size_t step) {
        switch (node_.op) {
            case Aggregate::Op::Count:
                return {static_cast<double>(members.numbers.size() + members.histograms.size()), nullptr};
            case Aggregate::Op::Group:
                return {1, nullptr};
            case Aggregate::Op::Sum:
            case Aggregate::Op::Avg:
                if (members.histograms.empty()) break;
                if (!members.numbers.empty()) {
                    context_.warn(notes::mixed_aggregation(), place_);
                    return {};
                }
                return HistogramFold(context_, input_, place_, step)
                    .fold(node_.op == Aggregate::Op::Avg, members.histograms);
            default:
                if (!members.histograms.empty()) {
                    context_.inform(notes::ignored_in_aggregation(to_string(node_.op)), place_);
                }
        }
        if (members.numbers.empty()) return {};
        return {fold_(members.numbers, param), nullptr};
    }

private:
    Context& context_;
    const Aggregate& node_;
    const Frame& input_;
    std::size_t place_;
    Fold fold_;
};

Result<Frame> fold_groups(Context& context, const Aggregate& node, const Frame& input,
                          const std::vector<double>& params, const Steps& steps) {
    Folder folder(context, node, input);
    Frame output;
    Members members;
    for (Group& group : internal::groups_of(node, input)) {
        TRY_UNIT(context.check());
        Column column{std::move(group.labels), missing_values(steps.count)};
        column.drop_name = group.drop_name;
        for (std::size_t step = 0; step < steps.count; ++step) {
            members.numbers.clear();
            members.histograms.clear();
            for (const std::size_t i : group.members) {
                const double value = input[i].values[step];
                if (is_number(value)) {
                    members.numbers.push_back(value);
                } else if (is_histogram(value)) {
                    members.histograms.push_back(i);
                }
            }
            if (members.numbers.empty() && members.histograms.empty()) continue;
            set_point(column, step, folder.fold(members, params.empty() ? 0 : params[step], step));
        }
        if (any_present(column.values)) output.push_back(std::move(column));
    }
    return output;
}

}  // namespace

namespace internal {

tsdb::Labels group_labels(const Aggregate& node, const tsdb::Labels& labels) {
    if (!node.without) return node.grouping.empty() ? tsdb::Labels{} : labels.only(node.grouping);
    std::vector<std::string> dropped = node.grouping;
    dropped.emplace_back(tsdb::kMetricName);
    return labels.without(dropped);
}

std::vector<Group> groups_of(const Aggregate& node, const Frame& input) {
    std::vector<Group> groups;
    std::unordered_map<tsdb::Labels, std::size_t> index;
    for (std::size_t i = 0; i < input.size(); ++i) {
        tsdb::Labels labels = group_labels(node, input[i].labels);
        const auto [at, fresh] = index.emplace(labels, groups.size());
        if (fresh) groups.push_back({std::move(labels), {}, false});
        groups[at->second].members.push_back(i);
        groups[at->second].drop_name = groups[at->second].drop_name || input[i].drop_name;
    }
    return groups;
}

}  // namespace internal

Result<Frame> aggregate_frame(Context& context, const Expr& expr, const Aggregate& node, Frame input,
                              const std::vector<double>& params, const Steps& steps) {
    switch (node.op) {
        case Aggregate::Op::Topk:
        case Aggregate::Op::Bottomk:
        case Aggregate::Op::Limitk:
        case Aggregate::Op::LimitRatio:
            return internal::select_points(context, expr, node, std::move(input), params, steps);
        case Aggregate::Op::CountValues:
            return internal::count_values(context, node, input, steps);
        default:
            return fold_groups(context, node, input, params, steps);
    }
}

}  // namespace stoker::promql
