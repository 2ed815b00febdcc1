// The sentences that healing writes into timelines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "heal/policy.h"

namespace stoker::heal {

std::string spoken(Duration duration);  // "12 ms", "1.2 s", "3 s", "2 min 5 s", "3 h 20 min"
std::string with_detail(std::string text, std::string_view detail);  // "text: detail", or "text" without one.
std::string_view past_tense(Step step);                              // "Ejected from the pool"
std::string verified(const VerifyConfig& verify, Duration held);     // "Errors are back to normal: ..., held for 3 s"
std::string list_steps(const std::vector<Step>& steps);              // "eject, restart"

}  // namespace stoker::heal
