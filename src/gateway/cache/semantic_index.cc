#include "gateway/cache/semantic_index.h"

#include <algorithm>

#include "gateway/cache/semantic_text.h"

namespace stoker::gateway {

void SemanticIndex::configure(std::size_t max_entries) {
    MutexLock lock(mutex_);
    max_entries_ = max_entries;
    fit();
}

std::optional<SemanticIndex::Match> SemanticIndex::find(const CacheKey& bucket, std::span<const float> unit,
                                                        double threshold) const {
    MutexLock lock(mutex_);
    const auto found = buckets_.find(bucket);
    if (found == buckets_.end() || found->second.dimensions != unit.size()) return {};
    std::optional<Match> best;
    const std::span<const float> rows(found->second.rows);
    for (std::size_t i = 0; i < found->second.answers.size(); ++i) {
        const double similarity = dot_product(unit, rows.subspan(i * unit.size(), unit.size()));
        if (similarity < threshold || (best && similarity <= best->similarity)) continue;
        best = Match{found->second.answers[i], similarity};
    }
    return best;
}

void SemanticIndex::put(const CacheKey& bucket, std::span<const float> unit, const CacheKey& answer) {
    MutexLock lock(mutex_);
    if (max_entries_ == 0) return;
    (void)remove(bucket, answer);
    Bucket& into = buckets_[bucket];
    if (into.dimensions != unit.size()) {
        entries_ -= into.answers.size();
        into = Bucket{unit.size(), {}, {}};
    }
    into.rows.insert(into.rows.end(), unit.begin(), unit.end());
    into.answers.push_back(answer);
    ++entries_;
    order_.push_back({bucket, answer});
    fit();
}

void SemanticIndex::forget(const CacheKey& bucket, const CacheKey& answer) {
    MutexLock lock(mutex_);
    (void)remove(bucket, answer);
}

std::size_t SemanticIndex::size() const {
    MutexLock lock(mutex_);
    return entries_;
}

// The last row takes the place of the one that goes.
bool SemanticIndex::remove(const CacheKey& bucket, const CacheKey& answer) {
    const auto found = buckets_.find(bucket);
    if (found == buckets_.end()) return false;
    Bucket& from = found->second;
    const auto place = std::find(from.answers.begin(), from.answers.end(), answer);
    if (place == from.answers.end()) return false;
    const auto row = static_cast<std::size_t>(place - from.answers.begin());
    std::copy_n(from.rows.end() - static_cast<std::ptrdiff_t>(from.dimensions), from.dimensions,
                from.rows.begin() + static_cast<std::ptrdiff_t>(row * from.dimensions));
    from.rows.resize(from.rows.size() - from.dimensions);
    *place = from.answers.back();
    from.answers.pop_back();
    --entries_;
    if (from.answers.empty()) buckets_.erase(found);
    return true;
}

void SemanticIndex::fit() {
    // One that was put again stands in the order twice; its older place then
    // takes the newer entry along, a little early.
    while (!order_.empty() && (entries_ > max_entries_ || order_.size() > 2 * max_entries_)) {
        const Place oldest = order_.front();
        order_.pop_front();
        (void)remove(oldest.bucket, oldest.answer);
    }
}

}  // namespace stoker::gateway
