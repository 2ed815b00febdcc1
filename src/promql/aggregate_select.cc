// Aggregations that keep some of their input's own series, and count_values.
#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "promql/aggregate.h"
#include "promql/format.h"
#include "promql/histogram_text.h"
#include "promql/label_hash.h"
#include "promql/parser_state.h"

namespace stoker::promql::internal {

namespace {

bool by_value(Aggregate::Op op) {
    return op == Aggregate::Op::Topk || op == Aggregate::Op::Bottomk;
}

// A series is always in or always out of a ratio, and those of -r are the ones that 1-r leaves.
bool in_ratio(const tsdb::Labels& labels, double ratio) {
    const double place = static_cast<double>(label_hash(labels)) / 18446744073709551615.0;
    return ratio >= 0 ? place < ratio : place >= 1.0 + ratio;
}

// The members to keep at a step, best first; ties go to the earlier series.
std::vector<std::size_t> choose(Aggregate::Op op, std::vector<std::size_t> candidates, const Frame& input,
                                std::size_t step, double param) {
    if (op == Aggregate::Op::LimitRatio) {
        const double ratio = std::clamp(param, -1.0, 1.0);
        std::erase_if(candidates, [&](std::size_t i) { return ratio == 0 || !in_ratio(input[i].labels, ratio); });
        return candidates;
    }
    if (by_value(op)) {
        std::stable_sort(candidates.begin(), candidates.end(), [&](std::size_t a, std::size_t b) {
            const double x = input[a].values[step];
            const double y = input[b].values[step];
            if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
            return op == Aggregate::Op::Topk ? x > y : x < y;
        });
    }
    const std::size_t wanted = param < 1 ? 0 : static_cast<std::size_t>(param);
    if (candidates.size() > wanted) candidates.resize(wanted);
    return candidates;
}

}  // namespace

Result<Unit> check_parameter(Context& context, const Aggregate& node, const std::vector<double>& params) {
    const auto nan = [](double value) { return std::isnan(value); };
    const bool any_nan = std::any_of(params.begin(), params.end(), nan);
    const auto [least, most] = std::minmax_element(params.begin(), params.end());
    const std::size_t place = unwrap(*node.param).begin;
    switch (node.op) {
        case Aggregate::Op::Quantile:
            if (any_nan) context.warn(notes::bad_quantile(std::nan("")), place);
            if (*most > 1) context.warn(notes::bad_quantile(*most), place);
            if (*least < 0) context.warn(notes::bad_quantile(*least), place);
            return Unit{};
        case Aggregate::Op::LimitRatio: {
            if (any_nan) return execution_error("Ratio value is NaN");
            const auto capped = [](double value, std::string_view to) {
                return "ratio value should be between -1 and 1, got " + format_general(value) + ", capping to " +
                       std::string(to);
            };
            if (*most > 1) context.warn(capped(*most, "1"), place);
            if (*least < -1) context.warn(capped(*least, "-1"), place);
            return Unit{};
        }
        default:
            if (any_nan) return execution_error("Parameter value is NaN");
            if (*most < 1) return Unit{};  // Nothing is chosen at any step, however low the others.
            if (*least <= -9223372036854775808.0) {
                return execution_error("Scalar value " + format_general(*least) + " underflows int64");
            }
            if (*most >= 9223372036854775807.0) {
                return execution_error("Scalar value " + format_general(*most) + " overflows int64");
            }
            return Unit{};
    }
}

Result<Frame> select_points(Context& context, const Expr& expr, const Aggregate& node, Frame input,
                            const std::vector<double>& params, const Steps& steps) {
    std::vector<std::size_t> order;  // Of the output; what an instant query shows.
    std::vector<bool> chosen_once(input.size(), false);
    const std::vector<Group> groups = groups_of(node, input);
    for (std::size_t step = 0; step < steps.count; ++step) {
        TRY_UNIT(context.check());
        for (const Group& group : groups) {
            std::vector<std::size_t> candidates;
            for (const std::size_t i : group.members) {
                if (!present(input[i].values[step])) continue;
                if (by_value(node.op) && is_histogram(input[i].values[step])) {
                    context.inform(notes::ignored_in_aggregation(to_string(node.op)), expr.begin);
                    clear_point(input[i], step);
                } else {
                    candidates.push_back(i);
                }
            }
            std::vector<Point> kept;
            const std::vector<std::size_t> winners = choose(node.op, candidates, input, step, params[step]);
            for (const std::size_t i : winners) kept.push_back(point_at(input[i], step));
            for (const std::size_t i : candidates) clear_point(input[i], step);
            for (std::size_t k = 0; k < winners.size(); ++k) {
                set_point(input[winners[k]], step, std::move(kept[k]));
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
            const tsdb::HistogramPtr& histogram = histogram_at(column, step);
            const std::string value = histogram ? histogram_text(*histogram) : format_float(column.values[step]);
            tsdb::Labels labels = group.with(label, value);
            const auto [at, fresh] = index.emplace(labels, output.size());
            if (fresh) {
                TRY_UNIT(context.charge(steps.count));
                output.push_back({std::move(labels), missing_values(steps.count)});
            }
            output[at->second].drop_name = output[at->second].drop_name || column.drop_name;
            double& count = output[at->second].values[step];
            count = present(count) ? count + 1 : 1;
        }
    }
    return output;
}

}  // namespace stoker::promql::internal
