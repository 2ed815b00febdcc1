// Which requests go to engines together, as plain values with their defaults. None do, unless a rule says so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace stoker::gateway {

struct BatchRule {
    std::vector<std::string> models{};  // That answer: names or patterns; empty: every one.
    bool embeddings = true;
    bool completions = false;
    std::int64_t max_inputs = 32;  // Texts in one request to an engine.
    Duration max_wait{5};          // How long the first request waits for others.
};

}  // namespace stoker::gateway
