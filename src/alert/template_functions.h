// The functions of alert templates.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace stoker::alert::internal {

using TemplateValue = std::variant<double, std::string>;

// As Go's fmt prints it with %v: shortest digits, with an exponent below 1e-4 and from 1e6 on; +Inf, NaN.
std::string to_text(const TemplateValue& value);

// Errors: InvalidArgument (no such function, wrong arguments).
Result<TemplateValue> call_function(std::string_view name, const std::vector<TemplateValue>& args);

std::string humanize(double value);
std::string humanize_1024(double value);
std::string humanize_duration(double seconds);
std::string humanize_percentage(double ratio);

}  // namespace stoker::alert::internal
