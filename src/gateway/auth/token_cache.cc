#include "gateway/auth/token_cache.h"

#include <utility>

namespace stoker::gateway {

void TokenCache::Shard::keep(const crypto::Digest& token, Entry entry) {
    if (young.size() >= kGeneration) {
        old = std::move(young);
        young = {};
    }
    young.insert_or_assign(token, std::move(entry));
}

std::shared_ptr<const Identity> TokenCache::find(const crypto::Digest& token, Timestamp now) {
    Shard& shard = shard_of(token);
    MutexLock lock(shard.mutex);
    auto found = shard.young.find(token);
    if (found == shard.young.end()) {
        const auto before = shard.old.find(token);
        if (before == shard.old.end()) return nullptr;
        Entry entry = std::move(before->second);
        shard.old.erase(before);
        shard.keep(token, std::move(entry));
        found = shard.young.find(token);
    }
    if (now < found->second.good_until) return found->second.identity;
    shard.young.erase(found);
    return nullptr;
}

void TokenCache::put(const crypto::Digest& token, std::shared_ptr<const Identity> identity, Timestamp good_until) {
    Shard& shard = shard_of(token);
    MutexLock lock(shard.mutex);
    shard.keep(token, {std::move(identity), good_until});
}

std::size_t TokenCache::size_for_test() {
    std::size_t size = 0;
    for (Shard& shard : shards_) {
        MutexLock lock(shard.mutex);
        size += shard.young.size() + shard.old.size();
    }
    return size;
}

}  // namespace stoker::gateway
