#include "gateway/route/made_responses.h"

#include <utility>

namespace stoker::gateway {

void MadeResponses::note(std::string id, Made made) {
    if (id.empty() || id.size() > kLongestId) return;
    MutexLock lock(mutex_);
    const auto [place, fresh] = by_id_.insert_or_assign(id, std::move(made));
    if (!fresh) return;
    order_.push_back(std::move(id));
    if (order_.size() <= most_) return;
    by_id_.erase(order_.front());
    order_.pop_front();
}

std::optional<MadeResponses::Made> MadeResponses::find(std::string_view id, std::string_view tenant) const {
    MutexLock lock(mutex_);
    const auto found = by_id_.find(std::string(id));
    if (found == by_id_.end() || found->second.tenant != tenant) return {};
    return found->second;
}

void MadeResponses::forget(std::string_view id) {
    MutexLock lock(mutex_);
    by_id_.erase(std::string(id));
}

}  // namespace stoker::gateway
