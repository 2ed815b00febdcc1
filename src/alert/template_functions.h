// The functions of alert templates: Go's own and Prometheus'.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "alert/template.h"
#include "alert/template_value.h"
#include "base/result.h"

namespace stoker::alert::internal {

using Arguments = std::vector<TemplateValue>;

// What functions may see and use up.
struct FunctionContext {
    const QueryFn* query = nullptr;
    Timestamp at{};
    std::string external_url;
    TemplateLimits limits;
    std::chrono::steady_clock::time_point deadline;
    int queries = 0;  // Done so far.
};

// What an argument must be.
enum class Takes : std::uint8_t { Anything, Text, Sample, Samples, Integer };

struct TemplateFunction {
    std::string_view name;
    std::size_t least = 0;  // Arguments.
    std::size_t most = 0;
    Takes takes[3] = {Takes::Anything, Takes::Anything, Takes::Anything};  // Of the first three.
    // REQUIRES: as many arguments, and of such types, as said above.
    Result<TemplateValue> (*call)(const Arguments& args, FunctionContext& context) = nullptr;
};

inline constexpr std::size_t kAnyNumber = 1'000'000;

// Null if there is none. `and`, `or` and `tmpl`, which the walk over the tree does itself, have no `call`.
const TemplateFunction* find_function(std::string_view name);
inline bool is_function(std::string_view name) {
    return find_function(name) != nullptr;
}

// Tables of the files that hold them.
const std::vector<TemplateFunction>& go_functions();
const std::vector<TemplateFunction>& prometheus_functions();

// Go's fmt.Sprintf: verbs v d s q x X o b c t U e E f F g G T and %%, flags, width and precision up to 1000; what does
// not fit shows as %!d(string=x).
std::string print_formatted(std::string_view format, const Arguments& args, std::size_t first);
// Go's url.QueryEscape.
std::string query_escaped(std::string_view text);
// fmt.Sprintf("%.4g").
std::string four_digits(double value);

std::string humanize(double value);
std::string humanize_1024(double value);
std::string humanize_duration(double seconds);
std::string humanize_percentage(double ratio);

// A method of a time or a duration, such as .Format or .Hours. Errors: InvalidArgument.
Result<TemplateValue> call_method(const TemplateValue& on, std::string_view name, const Arguments& args);

}  // namespace stoker::alert::internal
