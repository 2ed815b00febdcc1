// The event of a stream that opens a tool call: it names the tool, and its arguments follow. Pure functions,
// thread-safe.
#pragma once

#include <string_view>

#include "wire/dialect.h"

namespace stoker::wire {

// Whether the data of an event opens one tool call or several and brings nothing else of the answer: no arguments, no
// text. Of data that is not JSON false. Costs a search unless the data names something.
bool opens_tool_call(Dialect dialect, std::string_view json);

}  // namespace stoker::wire
