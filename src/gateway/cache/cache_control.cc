#include "gateway/cache/cache_control.h"

#include <algorithm>
#include <utility>

#include "gateway/cache/cache_parts.h"

namespace stoker::gateway {

CacheControl::CacheControl(metrics::Registry& registry) : parts_(std::make_unique<CacheParts>(registry)) {}

CacheControl::~CacheControl() = default;

void CacheControl::configure(CacheOptions options) {
    const bool any = !options.rules.empty();
    parts_->answers.configure(any ? options.max_bytes : 0, options.tenant_share);
    const bool semantic = std::any_of(options.rules.begin(), options.rules.end(),
                                      [](const CacheRule& rule) { return !rule.semantic.model.empty(); });
    parts_->questions.configure(semantic ? static_cast<std::size_t>(options.semantic_entries) : 0);
    batching_.store(!options.batching.empty(), std::memory_order_relaxed);
    parts_->options.set(std::make_shared<const CacheOptions>(std::move(options)));
    active_.store(any, std::memory_order_relaxed);
}

}  // namespace stoker::gateway
