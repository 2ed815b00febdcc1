#include "promql/frame_functions.h"

#include <algorithm>
#include <limits>
#include <numbers>
#include <set>
#include <utility>

#include "promql/evaluator.h"
#include "promql/value_functions.h"

namespace stoker::promql {

namespace {

// What absent(x{a="b"}) knows of the series that is not there: labels that the selector asks for by equality.
tsdb::Labels labels_of_absent(const Expr& argument) {
    const Expr& inner = unwrap(argument);
    const auto* selector = inner.as<VectorSelector>();
    if (const auto* matrix = inner.as<MatrixSelector>()) selector = matrix->vector->as<VectorSelector>();
    if (selector == nullptr) return {};
    // A first equality stands, until another matcher of the same label comes after it.
    std::set<std::string> named;
    tsdb::Labels labels;
    for (const tsdb::Matcher& matcher : selector->matchers) {
        if (matcher.name == tsdb::kMetricName) continue;
        const bool stands = matcher.op == tsdb::Matcher::Op::Equal && named.insert(matcher.name).second;
        labels = labels.with(matcher.name, stands ? matcher.value : "");
    }
    return labels;
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

// One number a step from two.
Result<Frame> of_two(Evaluator& evaluator, const Call& call, double (*function)(double, double)) {
    TRY(Frame first, evaluator.eval(*call.args[0]));
    TRY(const std::vector<double> second, evaluator.eval_scalar(*call.args[1]));
    for (std::size_t step = 0; step < second.size(); ++step) {
        first.at(0).values[step] = function(first.at(0).values[step], second[step]);
    }
    return first;
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
    RangeSamples samples;
    const auto erase_steps_with = [&](const auto& present_samples) {
        auto first = present_samples.begin();
        for (std::size_t step = 0; step < values.size(); ++step) {
            const std::int64_t end = evaluator.shifted(range.shift, step);
            while (first != present_samples.end() && first->time <= end - range.range) ++first;
            if (first != present_samples.end() && first->time <= end) values[step] = missing();
        }
    };
    for (std::size_t i = 0; i < range.series; ++i) {
        TRY_UNIT(evaluator.context().check());
        TRY_UNIT(range.load(i, samples));
        erase_steps_with(samples.numbers);
        erase_steps_with(samples.histograms);
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
            if (!is_number(column.values[step])) continue;
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

Result<Frame> fn_start(Evaluator& evaluator, const Expr&, const Call&) {
    const double start = static_cast<double>(evaluator.context().start()) / 1000;
    return by_time(evaluator.steps(), [=](double) { return start; });
}

Result<Frame> fn_end(Evaluator& evaluator, const Expr&, const Call&) {
    const double end = static_cast<double>(evaluator.context().end()) / 1000;
    return by_time(evaluator.steps(), [=](double) { return end; });
}

// The query's own step and range, within subqueries too; 0 of an instant query.
Result<Frame> fn_step(Evaluator& evaluator, const Expr&, const Call&) {
    const double step = static_cast<double>(evaluator.context().interval()) / 1000;
    return by_time(evaluator.steps(), [=](double) { return step; });
}

Result<Frame> fn_range(Evaluator& evaluator, const Expr&, const Call&) {
    const Context& context = evaluator.context();
    const double range = static_cast<double>(context.end() - context.start()) / 1000;
    return by_time(evaluator.steps(), [=](double) { return range; });
}

Result<Frame> fn_max_of(Evaluator& evaluator, const Expr&, const Call& call) {
    return of_two(evaluator, call, larger);
}
Result<Frame> fn_min_of(Evaluator& evaluator, const Expr&, const Call& call) {
    return of_two(evaluator, call, smaller);
}

// A selector's samples have times of their own; what was computed has the step's.
Result<Frame> fn_timestamp(Evaluator& evaluator, const Expr&, const Call& call) {
    const auto* selector = unwrap(*call.args[0]).as<VectorSelector>();
    const bool own_times = selector != nullptr;
    TRY(Frame frame, own_times ? evaluator.eval_selector(*selector, Shows::Time) : evaluator.eval(*call.args[0]));
    for (Column& column : frame) {
        drop_name(column, evaluator.context().name_removal());
        column.histograms.clear();
        for (std::size_t step = 0; !own_times && step < column.values.size(); ++step) {
            if (!present(column.values[step])) continue;
            column.values[step] = static_cast<double>(evaluator.steps().at(step)) / 1000;
        }
    }
    return finish_function(evaluator.context(), std::move(frame));
}

// Only samples have one, so what was computed has no result.
Result<Frame> fn_start_timestamp(Evaluator& evaluator, const Expr&, const Call& call) {
    const auto* selector = unwrap(*call.args[0]).as<VectorSelector>();
    if (selector == nullptr) {
        TRY(const Frame computed, evaluator.eval(*call.args[0]));  // For its errors and warnings.
        return Frame{};
    }
    TRY(Frame frame, evaluator.eval_selector(*selector, Shows::Start));
    for (Column& column : frame) drop_name(column, evaluator.context().name_removal());
    return finish_function(evaluator.context(), std::move(frame));
}

template <ValueFunction Part>
Result<Frame> fn_date(Evaluator& evaluator, const Expr&, const Call& call) {
    if (call.args.empty()) return by_time(evaluator.steps(), [](double seconds) { return Part(seconds, {}); });
    TRY(Frame frame, evaluator.eval(*call.args[0]));
    for (Column& column : frame) {
        drop_name(column, evaluator.context().name_removal());
        keep_numbers(column);
        for (double& value : column.values) {
            if (present(value)) value = Part(value, {});
        }
    }
    return finish_function(evaluator.context(), std::move(frame));
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
