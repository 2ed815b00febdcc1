#include "promql/functions.h"

#include <cmath>
#include <unordered_map>

#include "promql/frame_functions.h"
#include "promql/histogram_functions.h"
#include "promql/range_functions.h"
#include "promql/value_functions.h"

namespace stoker::promql {

namespace {

constexpr ValueType S = ValueType::Scalar;
constexpr ValueType T = ValueType::String;
constexpr ValueType V = ValueType::InstantVector;
constexpr ValueType M = ValueType::RangeVector;

using Flag = Function::Flag;

std::vector<Function> make_table() {
    return {
        // name, arguments, result, implementation [, variadic, defaults, flag]
        {"abs", {V}, V, fn_math<std::fabs>},
        {"absent", {V}, V, fn_absent},
        {"absent_over_time", {M}, V, fn_absent_over_time},
        {"acos", {V}, V, fn_math<std::acos>},
        {"acosh", {V}, V, fn_math<std::acosh>},
        {"asin", {V}, V, fn_math<std::asin>},
        {"asinh", {V}, V, fn_math<std::asinh>},
        {"atan", {V}, V, fn_math<std::atan>},
        {"atanh", {V}, V, fn_math<std::atanh>},
        {"avg_over_time", {M}, V, fn_avg_over_time},
        {"ceil", {V}, V, fn_math<std::ceil>},
        {"changes", {M}, V, fn_changes},
        {"clamp", {V, S, S}, V, fn_clamp},
        {"clamp_max", {V, S}, V, fn_clamp_max},
        {"clamp_min", {V, S}, V, fn_clamp_min},
        {"cos", {V}, V, fn_math<std::cos>},
        {"cosh", {V}, V, fn_math<std::cosh>},
        {"count_over_time", {M}, V, fn_count_over_time},
        {"day_of_month", {V}, V, fn_date<fn_day_of_month>, 1},
        {"day_of_week", {V}, V, fn_date<fn_day_of_week>, 1},
        {"day_of_year", {V}, V, fn_date<fn_day_of_year>, 1},
        {"days_in_month", {V}, V, fn_date<fn_days_in_month>, 1},
        {"deg", {V}, V, fn_deg},
        {"delta", {M}, V, fn_delta},
        {"deriv", {M}, V, fn_deriv},
        {"double_exponential_smoothing", {M, S, S}, V, fn_double_exponential_smoothing, 0, {}, Flag::Experimental},
        {"end", {}, S, fn_end, 0, {}, Flag::Experimental},
        {"exp", {V}, V, fn_math<std::exp>},
        {"first_over_time", {M}, V, fn_first_over_time, 0, {}, Flag::KeepsName},
        {"floor", {V}, V, fn_math<std::floor>},
        {"histogram_avg", {V}, V, fn_histogram_avg},
        {"histogram_count", {V}, V, fn_histogram_count},
        {"histogram_fraction", {S, S, V}, V, fn_histogram_fraction},
        {"histogram_quantile", {S, V}, V, fn_histogram_quantile},
        {"histogram_quantiles", {V, T, S, S}, V, fn_histogram_quantiles, 9, {}, Flag::Experimental},
        {"histogram_stddev", {V}, V, fn_histogram_stddev},
        {"histogram_stdvar", {V}, V, fn_histogram_stdvar},
        {"histogram_sum", {V}, V, fn_histogram_sum},
        {"hour", {V}, V, fn_date<fn_hour>, 1},
        {"idelta", {M}, V, fn_idelta},
        {"increase", {M}, V, fn_increase, 0, {}, Flag::WantsCounter},
        {"info", {V, V}, V, fn_info, 1, {}, Flag::Experimental},
        {"irate", {M}, V, fn_irate},
        {"label_join", {V, T, T, T}, V, fn_label_join, -1},
        {"label_replace", {V, T, T, T, T}, V, fn_label_replace},
        {"last_over_time", {M}, V, fn_last_over_time, 0, {}, Flag::KeepsName},
        {"ln", {V}, V, fn_math<std::log>},
        {"log10", {V}, V, fn_math<std::log10>},
        {"log2", {V}, V, fn_math<std::log2>},
        {"mad_over_time", {M}, V, fn_mad_over_time, 0, {}, Flag::Experimental},
        {"max_of", {S, S}, S, fn_max_of, 0, {}, Flag::Experimental},
        {"max_over_time", {M}, V, fn_max_over_time},
        {"min_of", {S, S}, S, fn_min_of, 0, {}, Flag::Experimental},
        {"min_over_time", {M}, V, fn_min_over_time},
        {"minute", {V}, V, fn_date<fn_minute>, 1},
        {"month", {V}, V, fn_date<fn_month>, 1},
        {"pi", {}, S, fn_pi},
        {"predict_linear", {M, S}, V, fn_predict_linear},
        {"present_over_time", {M}, V, fn_present_over_time},
        {"quantile_over_time", {S, M}, V, fn_quantile_over_time},
        {"rad", {V}, V, fn_rad},
        {"range", {}, S, fn_range, 0, {}, Flag::Experimental},
        {"rate", {M}, V, fn_rate, 0, {}, Flag::WantsCounter},
        {"resets", {M}, V, fn_resets},
        {"round", {V, S}, V, fn_round, 1, {1}},
        {"scalar", {V}, S, fn_scalar},
        {"sgn", {V}, V, fn_sgn},
        {"sin", {V}, V, fn_math<std::sin>},
        {"sinh", {V}, V, fn_math<std::sinh>},
        {"sort", {V}, V, fn_sort},
        {"sort_by_label", {V, T}, V, fn_sort_by_label, -1, {}, Flag::Experimental},
        {"sort_by_label_desc", {V, T}, V, fn_sort_by_label_desc, -1, {}, Flag::Experimental},
        {"sort_desc", {V}, V, fn_sort_desc},
        {"sqrt", {V}, V, fn_math<std::sqrt>},
        {"start", {}, S, fn_start, 0, {}, Flag::Experimental},
        {"start_timestamp", {V}, V, fn_start_timestamp, 0, {}, Flag::Experimental},
        {"stddev_over_time", {M}, V, fn_stddev_over_time},
        {"stdvar_over_time", {M}, V, fn_stdvar_over_time},
        {"step", {}, S, fn_step, 0, {}, Flag::Experimental},
        {"sum_over_time", {M}, V, fn_sum_over_time},
        {"tan", {V}, V, fn_math<std::tan>},
        {"tanh", {V}, V, fn_math<std::tanh>},
        {"time", {}, S, fn_time},
        {"timestamp", {V}, V, fn_timestamp},
        {"ts_of_first_over_time", {M}, V, fn_ts_of_first_over_time, 0, {}, Flag::Experimental},
        {"ts_of_last_over_time", {M}, V, fn_ts_of_last_over_time, 0, {}, Flag::Experimental},
        {"ts_of_max_over_time", {M}, V, fn_ts_of_max_over_time, 0, {}, Flag::Experimental},
        {"ts_of_min_over_time", {M}, V, fn_ts_of_min_over_time, 0, {}, Flag::Experimental},
        {"vector", {S}, V, fn_vector},
        {"year", {V}, V, fn_date<fn_year>, 1},
    };
}

}  // namespace

const std::vector<Function>& all_functions() {
    static const std::vector<Function> table = make_table();
    return table;
}

const Function* find_function(std::string_view name) {
    static const auto index = [] {
        std::unordered_map<std::string_view, const Function*> by_name;
        for (const Function& function : all_functions()) by_name.emplace(function.name, &function);
        return by_name;
    }();
    const auto found = index.find(name);
    return found == index.end() ? nullptr : found->second;
}

}  // namespace stoker::promql
