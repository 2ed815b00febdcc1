// Tokens that were found good, so that a signature is checked once and not with each request.
//
// Bounded: two generations a shard. When the young one is full it becomes the old one, and what is asked for from there
// comes back; what nobody asks for is gone at the next turn. Thread-safe; a shard's lock is held for a look-up.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "base/sync.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "gateway/auth/identity.h"

namespace stoker::gateway {

class TokenCache {
public:
    static constexpr std::size_t kShards = 16;
    static constexpr std::size_t kGeneration = 512;  // Tokens a shard and generation.
    static constexpr std::size_t kMost = kShards * kGeneration * 2;

    // Null: not known, or no longer good.
    std::shared_ptr<const Identity> find(const crypto::Digest& token, Timestamp now);
    void put(const crypto::Digest& token, std::shared_ptr<const Identity> identity, Timestamp good_until);

    std::size_t size_for_test();

private:
    struct Entry {
        std::shared_ptr<const Identity> identity;
        Timestamp good_until{};
    };
    struct Hash {
        // Its bytes are as good as random already.
        std::size_t operator()(const crypto::Digest& digest) const {
            std::size_t hash = 0;
            std::memcpy(&hash, digest.data(), sizeof hash);
            return hash;
        }
    };
    using Map = std::unordered_map<crypto::Digest, Entry, Hash>;
    struct Shard {
        Mutex mutex;
        Map young GUARDED_BY(mutex);
        Map old GUARDED_BY(mutex);

        void keep(const crypto::Digest& token, Entry entry) REQUIRES_LOCK(mutex);
    };

    Shard& shard_of(const crypto::Digest& token) { return shards_[token.back() % kShards]; }

    std::array<Shard, kShards> shards_;
};

}  // namespace stoker::gateway
