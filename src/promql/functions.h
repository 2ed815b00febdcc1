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
class Notes;

struct HistogramSample {
    std::int64_t time = 0;
    tsdb::HistogramPtr value;
    std::int64_t start = 0;  // When its counter began; 0: not known.
};

// Of one series; numbers and histograms are each ascending by time. No staleness markers.
struct RangeSamples {
    std::vector<tsdb::Sample> numbers;
    std::vector<HistogramSample> histograms;
    std::vector<std::int64_t> starts;  // Of `numbers`, in milliseconds; empty where none is known.

    bool empty() const { return numbers.empty() && histograms.empty(); }
    std::size_t size() const { return numbers.size() + histograms.size(); }
    void clear() {
        numbers.clear();
        histograms.clear();
        starts.clear();
    }
};

// What a function of a range sees at one step: the samples with begin < time <= end, at least one. Under `anchored` and
// `smoothed` there are older ones too, and under the latter younger ones, as far as the lookback reaches.
struct Window {
    std::span<const tsdb::Sample> samples;  // The numbers.
    std::span<const HistogramSample> histograms = {};
    std::span<const std::int64_t> starts = {};  // When the counters of `samples` began; empty where that is not known.
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t time = 0;           // Of the step; differs from `end` under offset and @.
    std::span<const double> params;  // The scalar arguments in order, at this step.
    Extension extension = Extension::None;
    std::string_view metric = {};  // The series' name, for messages.
    Notes* notes = nullptr;        // Where to say something.
    std::size_t place = 0;         // Of the first argument in the query.
};

// A number from numbers: never called without any. Histograms among them are passed over, with an info.
using WindowFunction = std::optional<double> (*)(const Window& window);
// Takes histograms as well.
using MixedWindowFunction = Point (*)(const Window& window);
// One number to one number, with the scalar arguments at this step; missing() for no result. Histograms have none.
using ValueFunction = double (*)(double value, std::span<const double> params);
// One histogram to one number. Numbers have no result.
using HistogramFunction = double (*)(const tsdb::Histogram& histogram);
using FrameFunction = Result<Frame> (*)(Evaluator& evaluator, const Expr& expr, const Call& call);

struct Function {
    enum class Flag : std::uint8_t {
        None,
        KeepsName,
        WantsCounter,  // Its input's name should be that of a counter.
        Experimental   // Only with EngineOptions::experimental.
    };

    std::string_view name;
    std::vector<ValueType> args;
    ValueType returns;
    std::variant<WindowFunction, MixedWindowFunction, ValueFunction, HistogramFunction, FrameFunction> apply;
    int variadic = 0;                   // So many more of the last argument's type than none; -1: any number.
    std::vector<double> defaults = {};  // For trailing scalar arguments of value functions that were left out.
    Flag flag = Flag::None;

    bool experimental() const { return flag == Flag::Experimental; }
    bool keeps_name() const { return flag == Flag::KeepsName; }
};

// Null if there is none of that name.
const Function* find_function(std::string_view name);
const std::vector<Function>& all_functions();

}  // namespace stoker::promql
