#include "twin/block_pool.h"

#include "base/check.h"

namespace stoker::twin {

std::uint32_t BlockPool::cached(std::span<const BlockHash> prefix) const {
    std::uint32_t count = 0;
    while (count < prefix.size() && shared_.contains(prefix[count])) ++count;
    return count;
}

void BlockPool::share(std::span<const BlockHash> prefix) {
    for (BlockHash content : prefix) {
        auto found = shared_.find(content);
        STOKER_CHECK(found != shared_.end());
        if (found->second.references++ == 0) unused_.erase(found->second.unused);
    }
}

void BlockPool::unshare(std::span<const BlockHash> prefix) {
    // Back to front: the end of a prefix is worth less than its beginning, so it goes first.
    for (auto content = prefix.rbegin(); content != prefix.rend(); ++content) {
        auto found = shared_.find(*content);
        STOKER_CHECK(found != shared_.end() && found->second.references > 0);
        if (--found->second.references == 0) found->second.unused = unused_.insert(unused_.end(), *content);
    }
}

std::uint32_t BlockPool::available() const {
    auto usable = free_ + static_cast<std::uint32_t>(unused_.size());
    return usable > withheld_ ? usable - withheld_ : 0;
}

bool BlockPool::take(std::uint32_t count) {
    if (count == 0) return true;
    if (available() < count) return false;
    while (free_ < count) {
        shared_.erase(unused_.front());
        unused_.pop_front();
        ++free_;
    }
    free_ -= count;
    return true;
}

bool BlockPool::publish(BlockHash content) {
    return shared_.try_emplace(content, Shared{.references = 1, .unused = {}}).second;
}

}  // namespace stoker::twin
