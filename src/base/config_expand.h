// ${NAME} in configuration values. Pure apart from the environment it is given.
#pragma once

#include <string>
#include <string_view>

#include "base/config.h"
#include "base/result.h"

namespace stoker::config {

// Replaces ${NAME} from the environment and $${ by ${; a lone $ and ${1} stay. Without an environment all stays. What a
// variable holds is not looked at again. Errors: InvalidArgument for a variable that isn't set, a missing brace, or
// something else than a name inside.
Result<std::string> expand(std::string_view text, const Environment& environment);

}  // namespace stoker::config
