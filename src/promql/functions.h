// The functions of PromQL: one table with what the parser and the evaluator need to know of each.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "promql/ast.h"
#include "promql/frame.h"

namespace stoker::promql {

class Evaluator;

// What a function of a range sees at one step: the samples with begin < time <= end, at least one.
struct Window {
    std::span<const tsdb::Sample> samples;
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t time = 0;           // Of the step; differs from `end` under offset and @.
    std::span<const double> params;  // The scalar arguments in order, at this step.
};

using WindowFunction = std::optional<double> (*)(const Window& window);
// One value to one value, with the scalar arguments at this step; missing() for no result.
using ValueFunction = double (*)(double value, std::span<const double> params);
using FrameFunction = Result<Frame> (*)(Evaluator& evaluator, const Expr& expr, const Call& call);

struct Function {
    enum class Flag : std::uint8_t { None, KeepsName, WantsCounter };

    std::string_view name;
    std::vector<ValueType> args;
    ValueType returns;
    std::variant<WindowFunction, ValueFunction, FrameFunction> apply;
    int variadic = 0;                   // So many more of the last argument's type than none; -1: any number.
    std::vector<double> defaults = {};  // For trailing scalar arguments of value functions that were left out.
    Flag flag = Flag::None;
};

// Null if there is none of that name.
const Function* find_function(std::string_view name);
const std::vector<Function>& all_functions();

}  // namespace stoker::promql
