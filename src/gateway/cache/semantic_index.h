// Questions by their embeddings: which one that was answered is the most like
// this one.
//
// Only questions with the same surroundings (a bucket) are compared, one dot
// product each over one array of floats: some milliseconds for the most that a
// bucket may hold. The oldest question goes when there are too many. What is
// found is the key of an answer, which the cache of answers may have dropped
// meanwhile. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/sync.h"
#include "gateway/cache/cache_key.h"

namespace stoker::gateway {

class SemanticIndex {
public:
    struct Match {
        CacheKey answer{};
        double similarity = 0;
    };

    // 0: everything is forgotten.
    void configure(std::size_t max_entries);

    // The most similar question that reaches `threshold`. REQUIRES: `unit` has
    // length 1.
    std::optional<Match> find(const CacheKey& bucket, std::span<const float> unit, double threshold) const;
    // Embeddings of another size than the bucket's others replace them: the model
    // must have changed.
    void put(const CacheKey& bucket, std::span<const float> unit, const CacheKey& answer);
    void forget(const CacheKey& bucket, const CacheKey& answer);
    std::size_t size() const;

private:
    struct Bucket {
        std::size_t dimensions = 0;
        std::vector<float> rows;
        std::vector<CacheKey> answers;  // One for each row.
    };
    struct Place {
        CacheKey bucket{};
        CacheKey answer{};
    };

    bool remove(const CacheKey& bucket, const CacheKey& answer) REQUIRES_LOCK(mutex_);
    void fit() REQUIRES_LOCK(mutex_);

    mutable Mutex mutex_;
    std::size_t max_entries_ GUARDED_BY(mutex_) = 0;
    std::size_t entries_ GUARDED_BY(mutex_) = 0;
    std::unordered_map<CacheKey, Bucket, CacheKeyHash> buckets_ GUARDED_BY(mutex_);
    std::deque<Place> order_ GUARDED_BY(mutex_);  // The oldest first; some may be gone already.
};

}  // namespace stoker::gateway
