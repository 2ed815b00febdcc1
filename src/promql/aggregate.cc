// Aggregations: series are sorted into groups once; then each group is folded step by step.
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "promql/evaluator.h"
#include "promql/format.h"
#include "promql/kahan.h"

namespace stoker::promql {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Group {
    tsdb::Labels labels;
    std::vector<std::size_t> members;  // Columns of the input.
};

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
        if (fresh) groups.push_back({std::move(labels), {}});
        groups[at->second].members.push_back(i);
    }
    return groups;
}

// One value out of those present at a step, in the order of the series. REQUIRES: values not empty.
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

double fold_count(std::vector<double>& values, double) {
    return static_cast<double>(values.size());
}

double fold_group(std::vector<double>&, double) {
    return 1;
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
        case Aggregate::Op::Count:
            return fold_count;
        case Aggregate::Op::Min:
            return fold_min;
        case Aggregate::Op::Max:
            return fold_max;
        case Aggregate::Op::Group:
            return fold_group;
        case Aggregate::Op::Stddev:
            return fold_stddev;
        case Aggregate::Op::Stdvar:
            return fold_stdvar;
        default:
            return fold_quantile;
    }
}

Result<Frame> fold_groups(Context& context, const Aggregate& node, const Frame& input,
                          const std::vector<double>& params, const Steps& steps) {
    const Fold fold = fold_of(node.op);
    Frame output;
    std::vector<double> values;
    for (Group& group : groups_of(node, input)) {
        TRY_UNIT(context.check());
        Column column{std::move(group.labels), missing_values(steps.count)};
        for (std::size_t step = 0; step < steps.count; ++step) {
            values.clear();
            for (const std::size_t i : group.members) {
                if (present(input[i].values[step])) values.push_back(input[i].values[step]);
            }
            if (!values.empty()) column.values[step] = fold(values, params.empty() ? 0 : params[step]);
        }
        if (any_present(column.values)) output.push_back(std::move(column));
    }
    return output;
}

// How many topk, bottomk and limitk keep at a step. Errors: Execution for what is no count.
Result<std::size_t> wanted_count(double param) {
    if (std::isnan(param)) return execution_error("Parameter value is NaN");
    if (param >= 9.3e18) return execution_error("Scalar value " + format_float(param) + " overflows int64");
    if (param <= -9.3e18) return execution_error("Scalar value " + format_float(param) + " underflows int64");
    return param < 1 ? 0 : static_cast<std::size_t>(param);
}

// The members to keep at a step, best first; ties go to the earlier series.
std::vector<std::size_t> choose(Aggregate::Op op, std::vector<std::size_t> candidates, const Frame& input,
                                std::size_t step, std::size_t wanted) {
    if (op != Aggregate::Op::Limitk) {
        std::stable_sort(candidates.begin(), candidates.end(), [&](std::size_t a, std::size_t b) {
            const double x = input[a].values[step];
            const double y = input[b].values[step];
            if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
            return op == Aggregate::Op::Topk ? x > y : x < y;
        });
    }
    if (candidates.size() > wanted) candidates.resize(wanted);
    return candidates;
}

// topk, bottomk, limitk: the input's own series, with only the chosen points left.
Result<Frame> select_points(Context& context, const Aggregate& node, Frame input, const std::vector<double>& params,
                            const Steps& steps) {
    std::vector<std::size_t> order;  // Of the output; what an instant query shows.
    std::vector<bool> chosen_once(input.size(), false);
    const std::vector<Group> groups = groups_of(node, input);
    for (std::size_t step = 0; step < steps.count; ++step) {
        TRY_UNIT(context.check());
        TRY(const std::size_t wanted, wanted_count(params[step]));
        for (const Group& group : groups) {
            std::vector<std::size_t> candidates;
            for (const std::size_t i : group.members) {
                if (present(input[i].values[step])) candidates.push_back(i);
            }
            std::vector<double> kept;
            const std::vector<std::size_t> winners = choose(node.op, candidates, input, step, wanted);
            for (const std::size_t i : winners) kept.push_back(input[i].values[step]);
            for (const std::size_t i : candidates) input[i].values[step] = missing();
            for (std::size_t k = 0; k < winners.size(); ++k) {
                input[winners[k]].values[step] = kept[k];
                if (!chosen_once[winners[k]]) order.push_back(winners[k]);
                chosen_once[winners[k]] = true;
            }
        }
    }
    Frame output;
    for (const std::size_t i : order) output.push_back(std::move(input[i]));
    return output;
}

Result<Frame> count_values(Context& context, const Aggregate& node, const Frame& input, const Steps& steps) {
    const std::string& label = unwrap(*node.param).as<StringLiteral>()->value;
    if (label.empty()) return execution_error("invalid label name \"\"");
    Frame output;
    std::unordered_map<tsdb::Labels, std::size_t> index;
    for (const Column& column : input) {
        TRY_UNIT(context.check());
        tsdb::Labels group = group_labels(node, column.labels);
        if (node.without) group = group.with(label, "");
        for (std::size_t step = 0; step < steps.count; ++step) {
            if (!present(column.values[step])) continue;
            tsdb::Labels labels = group.with(label, format_float(column.values[step]));
            const auto [at, fresh] = index.emplace(labels, output.size());
            if (fresh) {
                TRY_UNIT(context.charge(steps.count));
                output.push_back({std::move(labels), missing_values(steps.count)});
            }
            double& count = output[at->second].values[step];
            count = present(count) ? count + 1 : 1;
        }
    }
    return output;
}

}  // namespace

Result<Frame> aggregate_frame(Context& context, const Aggregate& node, Frame input, const std::vector<double>& params,
                              const Steps& steps) {
    switch (node.op) {
        case Aggregate::Op::Topk:
        case Aggregate::Op::Bottomk:
        case Aggregate::Op::Limitk:
            return select_points(context, node, std::move(input), params, steps);
        case Aggregate::Op::CountValues:
            return count_values(context, node, input, steps);
        default:
            return fold_groups(context, node, input, params, steps);
    }
}

}  // namespace stoker::promql
