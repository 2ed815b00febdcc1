// What the adapters say, as documentation: docs/engines.md is made of it.
#pragma once

#include <string>

#include "collect/engine/adapters.h"

namespace stoker::collect {

// Markdown: the engines, the canonical metrics with who gives them, each engine's own names, and the keys of an
// adapter.
std::string engines_markdown(const Adapters& adapters);

}  // namespace stoker::collect
