// From the bytes that name a series on the wire to its ref in the store, so that a series seen before costs its
// sender's request no label, no string and no look into the index.
//
// Bytes are remembered by a 128-bit hash alone. It is keyed with secrets of this process and universal (NH of UMAC, RFC
// 4418, twice with shifted keys, each folded to 64 bits by a multilinear hash): two given texts collide with a
// probability near 2^-126, and who doesn't see the secrets can't do better than chance.
//
// Bounded: entries that nobody asked for in a while go when room is needed, and the older half goes if that isn't
// enough. A forgotten or outdated entry costs time, never correctness: a store says when a ref is gone. Thread-safe;
// sharded, one lock a shard and call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/sync.h"
#include "base/time.h"
#include "tsdb/store.h"

namespace stoker::collect {

struct SeriesCacheOptions {
    std::size_t most = 4'000'000;                 // Entries in all, of 32 bytes at a load of a half to three quarters.
    Duration forget_after{2LL * 60 * 60 * 1000};  // Unasked for so long, an entry may go.
};

class SeriesCache {
public:
    struct Key {
        std::uint64_t high = 0;
        std::uint64_t low = 0;
        friend bool operator==(const Key&, const Key&) = default;
    };
    static constexpr std::size_t kMaxText = 4096;

    explicit SeriesCache(SeriesCacheOptions options = {});

    // Nothing for texts longer than kMaxText: they are not remembered.
    std::optional<Key> key(std::string_view text) const;

    // The refs of all keys, 0 for those unknown. REQUIRES: refs.size() == keys.size().
    void find(std::span<const Key> keys, std::span<tsdb::SeriesRef> refs, Timestamp now);
    // Remembers a ref, or another one than before; 0 makes the key unknown again.
    void put(Key key, tsdb::SeriesRef ref, Timestamp now);

    std::size_t size() const;

private:
    static constexpr std::size_t kShards = 16;

    struct Slot {
        Key key;
        tsdb::SeriesRef ref = 0;
        std::uint32_t seen = 0;  // Minutes since 1970; 0: free.
    };
    struct Shard {
        mutable Mutex mutex;
        std::vector<Slot> slots GUARDED_BY(mutex);  // Open addressing; a power of two.
        std::size_t used GUARDED_BY(mutex) = 0;

        Slot& probe(Key key) REQUIRES_LOCK(mutex);
        void make_room(std::size_t most, std::uint32_t now, std::uint32_t forget_after) REQUIRES_LOCK(mutex);
        void rebuild(std::size_t size, std::uint32_t oldest) REQUIRES_LOCK(mutex);
    };
    static std::size_t shard_of(Key key) { return static_cast<std::size_t>(key.high >> 60); }

    const std::size_t most_a_shard_;
    const std::uint32_t forget_after_;  // Minutes.
    std::vector<std::uint64_t> secrets_;
    std::array<Shard, kShards> shards_;
};

}  // namespace stoker::collect
