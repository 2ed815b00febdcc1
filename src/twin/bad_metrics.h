// Metrics pages that are wrong on command: the fault `bad_metrics`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace stoker::twin {

// How a page may be bad: json, missing, frozen, zero, percent, falling, duplicate.
std::span<const std::string_view> bad_metrics_ways();

// A page of vLLM's, bent: the first `nth` pages are told apart where two processes take turns. json, missing and frozen
// are not matters of the page's text and leave it as it is.
std::string bend_page(std::string_view how, std::string_view vllm_page, std::uint64_t nth);

}  // namespace stoker::twin
