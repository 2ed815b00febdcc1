// An engine's JSON as a metrics page, for engines without one (Ollama): the adapter says what becomes of it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "collect/engine/adapter.h"

namespace stoker::collect {

// Prometheus' text format. Errors: InvalidArgument (not JSON), ResourceExhausted (more than 10,000 series).
Result<std::string> json_page(const Adapter& adapter, std::string_view body);

}  // namespace stoker::collect
