// Whole answers by the key of their request: bounded by bytes, by age, and by each tenant's share.
//
// Sixteen shards by key, each with a lock of its own that is held for the finding and linking of an entry, never while
// bytes are copied: an answer is shared, not copied, with those it is given to. In each shard the answer that was used
// longest ago goes first; one tenant over its share pushes out its own.
//
// Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "base/sync.h"
#include "base/time.h"
#include "gateway/cache/cache_key.h"

namespace stoker::gateway {

struct CachedAnswer {
    std::string tenant;
    std::string model;  // That gave it.
    std::string endpoint;
    std::string request_id;  // Of the request that it was given to first.
    std::string content_type;
    std::string body;  // As the client got it: JSON, or the events of a stream.
    bool stream = false;
    std::string finish_reason;
    std::int64_t prompt_tokens = 0;  // What it took to make it.
    std::int64_t completion_tokens = 0;
    SteadyTime stored_at{};
    SteadyTime expires{};
    mutable std::atomic<std::int64_t> hits{0};

    std::size_t bytes() const;  // With what it takes to find it.
};

// Which answers; empty means all.
struct CacheFilter {
    std::string tenant{};
    std::string model{};
    std::string key{};  // Hex, or the beginning of it.

    bool takes(const CacheKey& hash, const CachedAnswer& answer) const;
};

struct CacheLine {
    CacheKey key{};
    std::shared_ptr<const CachedAnswer> answer;
};

struct CacheReport {
    std::size_t entries = 0;
    std::size_t bytes = 0;
    std::size_t max_bytes = 0;
    std::vector<CacheLine> lines{};  // Most hits first.
};

class AnswerCache {
public:
    static constexpr std::size_t kShards = 16;

    explicit AnswerCache(metrics::Registry& registry);

    // Takes effect at once: what is too much is pushed out. REQUIRES: 0 < tenant_share <= 1.
    void configure(std::size_t max_bytes, double tenant_share);

    // Null: there is none, or it is too old.
    std::shared_ptr<const CachedAnswer> find(const CacheKey& key, SteadyTime now);
    // In place of one that is there. One that would not fit into its shard is not taken.
    void put(const CacheKey& key, std::shared_ptr<const CachedAnswer> answer);
    // How many went.
    std::size_t purge(const CacheFilter& filter);

    CacheReport report(const CacheFilter& filter, std::size_t most) const;

private:
    struct Entry;
    using Order = std::list<Entry>;
    // The oldest is the first.
    struct Entry {
        CacheKey key{};
        std::shared_ptr<const CachedAnswer> answer;
        std::list<Order::iterator>::iterator own{};  // Its place among its tenant's.
    };
    struct Tenant {
        std::list<Order::iterator> order;
        std::size_t bytes = 0;
    };
    struct Shard {
        mutable Mutex mutex;
        Order order GUARDED_BY(mutex);
        std::unordered_map<CacheKey, Order::iterator, CacheKeyHash> by_key GUARDED_BY(mutex);
        std::unordered_map<std::string, Tenant> tenants GUARDED_BY(mutex);
        std::size_t bytes GUARDED_BY(mutex) = 0;
    };

    Shard& shard_of(const CacheKey& key) { return shards_[key.back() % kShards]; }
    void drop(Shard& shard, Order::iterator entry) REQUIRES_LOCK(shard.mutex);
    void fit(Shard& shard, const std::string* tenant) REQUIRES_LOCK(shard.mutex);

    std::array<Shard, kShards> shards_;
    std::atomic<std::size_t> shard_bytes_{0};
    std::atomic<std::size_t> tenant_bytes_{0};  // Of one shard.
    metrics::Gauge& bytes_;
    metrics::Gauge& entries_;
    metrics::Counter& pushed_out_;
    metrics::Counter& over_share_;
    metrics::Counter& expired_;
    metrics::Counter& purged_;
};

}  // namespace stoker::gateway
