#include "promql/frame_functions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <utility>

#include "promql/evaluator.h"
#include "promql/value_functions.h"

namespace stoker::promql {

namespace {

// What absent(x{a="b"}) knows of the series that is not there: labels that the selector asks for by equality, once.
tsdb::Labels labels_of_absent(const Expr& argument) {
    const Expr& inner = unwrap(argument);
    const auto* selector = inner.as<VectorSelector>();
    if (const auto* matrix = inner.as<MatrixSelector>()) selector = matrix->vector->as<VectorSelector>();
    if (selector == nullptr) return {};
    std::map<std::string, int> named;
    std::vector<tsdb::Labels::Pair> pairs;
    for (const tsdb::Matcher& matcher : selector->matchers) {
        if (matcher.name == tsdb::kMetricName) continue;
        ++named[matcher.name];
        if (matcher.op == tsdb::Matcher::Op::Equal) pairs.emplace_back(matcher.name, matcher.value);
    }
    std::erase_if(pairs, [&](const auto& pair) { return named[pair.first] > 1; });
    return tsdb::Labels(std::move(pairs));
}

Frame one_column(std::size_t steps) {
    Frame frame(1);
    frame[0].values = missing_values(steps);
    return frame;
}

// Values by step from the step's own time in seconds.
template <typename Function>
Frame by_time(const Steps& steps, Function function) {
    Frame frame = one_column(steps.count);
    for (std::size_t step = 0; step < steps.count; ++step) {
        frame[0].values[step] = function(static_cast<double>(steps.at(step)) / 1000);
    }
    return frame;
}

Result<Frame> sorted(Evaluator& evaluator, const Call& call, bool descending) {
    TRY(Frame frame, evaluator.eval(*call.args[0]));
    if (evaluator.steps().count != 1) return frame;  // A range query's series are in the order of their labels.
    std::erase_if(frame, [](const Column& column) { return !present(column.values[0]); });
    std::stable_sort(frame.begin(), frame.end(), [&](const Column& a, const Column& b) {
        const double x = a.values[0];
        const double y = b.values[0];
        if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
        return descending ? x > y : x < y;
    });
    return frame;
}

}  // namespace

Result<Frame> fn_absent(Evaluator& evaluator, const Expr&, const Call& call) {
    TRY(const Frame frame, evaluator.eval(*call.args[0]));
    Frame result = one_column(evaluator.steps().count);
    result[0].labels = labels_of_absent(*call.args[0]);
    for (std::size_t step = 0; step < evaluator.steps().count; ++step) {
        const auto here = [&](const Column& column) { return present(column.values[step]); };
        if (std::none_of(frame.begin(), frame.end(), here)) result[0].values[step] = 1;
    }
    return result;
}

Result<Frame> fn_absent_over_time(Evaluator& evaluator, const Expr&, const Call& call) {
    TRY(const RangeArgument range, evaluator.range_argument(*call.args[0]));
    Frame result = one_column(evaluator.steps().count);
    result[0].labels = labels_of_absent(*call.args[0]);
    std::vector<double>& values = result[0].values;
    std::fill(values.begin(), values.end(), 1.0);
    std::vector<tsdb::Sample> samples;
    for (std::size_t i = 0; i < range.series; ++i) {
        TRY_UNIT(evaluator.context().check());
        TRY_UNIT(range.load(i, samples));
        auto first = samples.begin();
        for (std::size_t step = 0; step < values.size(); ++step) {
            const std::int64_t end = evaluator.shifted(range.shift, step);
            while (first != samples.end() && first->time <= end - range.range) ++first;
            if (first != samples.end() && first->time <= end) values[step] = missing();
        }
    }
    return result;
}

// The value of a vector of one element, else NaN.
Result<Frame> fn_scalar(Evaluator& evaluator, const Expr&, const Call& call) {
    TRY(const Frame frame, evaluator.eval(*call.args[0]));
    Frame result = one_column(evaluator.steps().count);
    for (std::size_t step = 0; step < evaluator.steps().count; ++step) {
        double value = std::numeric_limits<double>::quiet_NaN();
        int found = 0;
        for (const Column& column : frame) {
            if (!present(column.values[step])) continue;
            value = column.values[step];
            ++found;
        }
        result[0].values[step] = found == 1 ? value : std::numeric_limits<double>::quiet_NaN();
    }
    return result;
}

Result<Frame> fn_vector(Evaluator& evaluator, const Expr&, const Call& call) {
    return evaluator.eval(*call.args[0]);
}

Result<Frame> fn_time(Evaluator& evaluator, const Expr&, const Call&) {
    return by_time(evaluator.steps(), [](double seconds) { return seconds; });
}

Result<Frame> fn_pi(Evaluator& evaluator, const Expr&, const Call&) {
    return by_time(evaluator.steps(), [](double) { return std::numbers::pi; });
}

// A selector's samples have times of their own; what was computed has the step's.
Result<Frame> fn_timestamp(Evaluator& evaluator, const Expr&, const Call& call) {
    const auto* selector = unwrap(*call.args[0]).as<VectorSelector>();
    const bool own_times = selector != nullptr;
    TRY(Frame frame, own_times ? evaluator.eval_timestamps(*selector) : evaluator.eval(*call.args[0]));
    for (Column& column : frame) {
        column.labels = without_name(column.labels);
        for (std::size_t step = 0; !own_times && step < column.values.size(); ++step) {
            if (!present(column.values[step])) continue;
            column.values[step] = static_cast<double>(evaluator.steps().at(step)) / 1000;
        }
    }
    return join_same_labels(std::move(frame));
}

Result<Frame> fn_sort(Evaluator& evaluator, const Expr&, const Call& call) {
    return sorted(evaluator, call, false);
}
Result<Frame> fn_sort_desc(Evaluator& evaluator, const Expr&, const Call& call) {
    return sorted(evaluator, call, true);
}

template <ValueFunction Part>
Result<Frame> fn_date(Evaluator& evaluator, const Expr&, const Call& call) {
    if (call.args.empty()) return by_time(evaluator.steps(), [](double seconds) { return Part(seconds, {}); });
    TRY(Frame frame, evaluator.eval(*call.args[0]));
    for (Column& column : frame) {
        column.labels = without_name(column.labels);
        for (double& value : column.values) {
            if (present(value)) value = Part(value, {});
        }
    }
    return join_same_labels(std::move(frame));
}

template Result<Frame> fn_date<fn_minute>(Evaluator&, const Expr&, const Call&);
template Result<Frame> fn_date<fn_hour>(Evaluator&, const Expr&, const Call&);
template Result<Frame> fn_date<fn_day_of_week>(Evaluator&, const Expr&, const Call&);
template Result<Frame> fn_date<fn_day_of_month>(Evaluator&, const Expr&, const Call&);
template Result<Frame> fn_date<fn_day_of_year>(Evaluator&, const Expr&, const Call&);
template Result<Frame> fn_date<fn_days_in_month>(Evaluator&, const Expr&, const Call&);
template Result<Frame> fn_date<fn_month>(Evaluator&, const Expr&, const Call&);
template Result<Frame> fn_date<fn_year>(Evaluator&, const Expr&, const Call&);

}  // namespace stoker::promql
