#include "gateway/meter/waste.h"

#include <algorithm>
#include <cmath>

#include "gateway/balance/prompt_hash.h"

namespace stoker::gateway {

std::int64_t tokens_left_behind(const LoadEstimate& estimate, double elapsed, double usual) {
    if (usual <= 0 || elapsed <= 0) return 0;
    return std::llround(static_cast<double>(estimate.output_tokens) * std::min(elapsed / usual, 1.0));
}

std::int64_t recomputed_tokens(const LoadEstimate& estimate, const wire::Usage& usage) {
    if (!usage.tells_cached || estimate.prompt_tokens <= 0) return 0;
    // The estimate goes by bytes; its share of the prompt is what can be compared with the engine's count.
    const double share = static_cast<double>(estimate.known_tokens) / static_cast<double>(estimate.prompt_tokens);
    const auto known = std::llround(std::min(share, 1.0) * static_cast<double>(usage.prompt_tokens));
    const std::int64_t again = known - usage.cached_tokens;
    return again >= kPromptBlockTokens ? again : 0;
}

}  // namespace stoker::gateway
