// The sentences that healing writes into timelines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "heal/policy.h"

namespace stoker::heal {

std::string seconds(Duration duration);                              // "1.2 s"
std::string with_detail(std::string text, std::string_view detail);  // "text: detail", or "text" without one.
std::string_view past_tense(Step step);                              // "Ejected from the pool"
std::string list_steps(const std::vector<Step>& steps);              // "eject, restart"

}  // namespace stoker::heal
