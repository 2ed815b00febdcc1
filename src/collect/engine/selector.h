// Which series of an engine's page are meant: a name, with labels that they must have, as PromQL writes it:
// `nv_trt_llm_request_metrics{request_type="waiting"}`.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace stoker::collect {

struct Selector {
    std::string name;  // Without "_total": an engine's page may have it or not (clients of Prometheus add it).
    std::vector<std::pair<std::string, std::string>> labels;  // Each must be there with this value.
};

// Errors: InvalidArgument, saying what is wrong.
Result<Selector> parse_selector(std::string_view text);

// `name` without the "_total" that it may end in.
std::string_view without_total(std::string_view name);

}  // namespace stoker::collect
