#include "gateway/route/canary_sample.h"

#include <algorithm>
#include <cmath>

namespace stoker::gateway {
namespace {

constexpr double kPerOctave = 12;
constexpr double kLowest = 1e-3;  // Seconds.

}  // namespace

void TimeBuckets::add(std::int64_t nanoseconds) {
    const double ratio = static_cast<double>(nanoseconds) * 1e-9 / kLowest;
    const double at = ratio <= 1 ? 0 : std::log2(ratio) * kPerOctave;
    const auto bucket = std::min(static_cast<std::size_t>(at), kCount - 1);
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
}

void TimeBuckets::reset() {
    for (auto& count : counts_) count.store(0, std::memory_order_relaxed);
}

std::int64_t TimeBuckets::count() const {
    std::int64_t total = 0;
    for (const auto& count : counts_) total += count.load(std::memory_order_relaxed);
    return total;
}

double TimeBuckets::quantile(double q) const {
    const auto total = count();
    if (total == 0) return 0;
    const double wanted = std::clamp(q, 0.0, 1.0) * static_cast<double>(total);
    double before = 0;
    std::size_t last = 0;
    for (std::size_t i = 0; i < kCount; ++i) {
        const auto here = static_cast<double>(counts_[i].load(std::memory_order_relaxed));
        if (here == 0) continue;
        last = i;
        if (before + here >= wanted) {
            const double within = (wanted - before) / here;
            return kLowest * std::exp2((static_cast<double>(i) + within) / kPerOctave);
        }
        before += here;
    }
    return kLowest * std::exp2(static_cast<double>(last + 1) / kPerOctave);
}

void CanarySample::reset() {
    good.store(0, std::memory_order_relaxed);
    failed.store(0, std::memory_order_relaxed);
    first_token.reset();
    duration.reset();
}

}  // namespace stoker::gateway
