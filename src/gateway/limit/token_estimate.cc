#include "gateway/limit/token_estimate.h"

#include <algorithm>
#include <cmath>

namespace stoker::gateway {
namespace {

// The first few samples count for more, so that a guess does not linger: weights 1, 1/2, 1/3, ... down to this.
constexpr double kLeastWeight = 0.02;
// Prompts of pictures in base64 or of a single word say nothing of text.
constexpr double kFewestBytes = 1;
constexpr double kMostBytes = 12;

double weight(std::uint64_t samples) {
    return std::max(kLeastWeight, 1.0 / static_cast<double>(samples));
}

}  // namespace

std::int64_t TokenEstimator::estimate(std::string_view model, std::size_t prompt_bytes,
                                      std::optional<std::int64_t> max_tokens) const {
    constexpr std::int64_t kMostTokens = 100'000'000;  // Whatever a client writes.
    const Learnt known = learnt(model);
    const auto prompt = static_cast<std::int64_t>(std::ceil(static_cast<double>(prompt_bytes) / known.bytes_per_token));
    const auto typical = static_cast<std::int64_t>(std::ceil(known.output_mean + known.output_deviation));
    return prompt + std::clamp(max_tokens.value_or(typical), std::int64_t{0}, kMostTokens);
}

void TokenEstimator::learn(std::string_view model, std::size_t prompt_bytes, std::int64_t prompt_tokens,
                           std::optional<std::int64_t> completion_tokens) {
    MutexLock lock(mutex_);
    auto found = models_.find(model);
    if (found == models_.end()) found = models_.emplace(std::string(model), Learnt{}).first;
    Learnt& known = found->second;
    if (prompt_tokens > 0 && prompt_bytes > 0) {
        const double ratio = static_cast<double>(prompt_bytes) / static_cast<double>(prompt_tokens);
        if (ratio >= kFewestBytes && ratio <= kMostBytes) {
            known.bytes_per_token += weight(++known.prompts) * (ratio - known.bytes_per_token);
        }
    }
    if (completion_tokens && *completion_tokens >= 0) {
        const auto tokens = static_cast<double>(*completion_tokens);
        const double share = weight(++known.outputs);
        known.output_mean += share * (tokens - known.output_mean);
        known.output_deviation += share * (std::abs(tokens - known.output_mean) - known.output_deviation);
    }
}

TokenEstimator::Learnt TokenEstimator::learnt(std::string_view model) const {
    MutexLock lock(mutex_);
    const auto found = models_.find(model);
    return found == models_.end() ? Learnt{} : found->second;
}

}  // namespace stoker::gateway
