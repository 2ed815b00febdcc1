#include "api/push.h"

namespace stoker::api {

bool BodyBudget::Share::reach(std::size_t bytes) {
    if (bytes <= bytes_) return true;
    const std::size_t more = bytes - bytes_;
    const std::size_t before = budget_->used_.fetch_add(more, std::memory_order_relaxed);
    if (before + more > budget_->limit_) {
        budget_->used_.fetch_sub(more, std::memory_order_relaxed);
        return false;
    }
    bytes_ = bytes;
    return true;
}

const PushEndpoint* find_push(const std::vector<PushEndpoint>& endpoints, std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    for (const PushEndpoint& endpoint : endpoints) {
        if (endpoint.path == path) return &endpoint;
    }
    return nullptr;
}

}  // namespace stoker::api
