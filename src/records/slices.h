// A stretch of time cut into slices from the newest backwards, for searches that read everything and are to answer in
// time: each slice is up to four times as long as the one before, but no longer than what is left of the budget allows
// by the speed of the one before. Plain state; not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace stoker::records {

class Slices {
public:
    // Of [from_ns, to_ns), the first of `first_ns`. Without a budget all of it is gone through.
    Slices(std::int64_t from_ns, std::int64_t to_ns, std::optional<Duration> budget,
           std::int64_t first_ns = 600'000'000'000)
        : least_ns_(from_ns), from_ns_(to_ns), to_ns_(to_ns), width_ns_(first_ns), budget_(budget) {}

    // Goes on to the next slice: false if there is none, or no time for it. The first one there always is.
    bool next(SteadyTime now) {
        if (first_) {
            first_ = false;
            began_ = now;
        } else if (complete() || (budget_ && now - began_ >= *budget_)) {
            return false;
        } else {
            width_ns_ = next_width(now);
        }
        slice_began_ = now;
        to_ns_ = from_ns_;
        from_ns_ = to_ns_ - least_ns_ <= width_ns_ ? least_ns_ : to_ns_ - width_ns_;
        return true;
    }

    // Of the slice.
    std::int64_t from_ns() const { return from_ns_; }
    std::int64_t to_ns() const { return to_ns_; }
    bool complete() const { return from_ns_ <= least_ns_; }  // It is the last.

private:
    static constexpr std::int64_t kLeast = 10'000'000'000;
    static constexpr std::int64_t kGrowth = 4;

    std::int64_t next_width(SteadyTime now) const {
        const std::int64_t grown = width_ns_ > INT64_MAX / kGrowth ? width_ns_ : width_ns_ * kGrowth;
        if (!budget_) return grown;
        const double took = std::chrono::duration<double>(now - slice_began_).count();
        const double left = std::chrono::duration<double>(began_ + *budget_ - now).count();
        const double fits = static_cast<double>(width_ns_) * left / std::max(took, 1e-6);
        if (fits >= static_cast<double>(grown)) return grown;
        return std::max(kLeast, static_cast<std::int64_t>(fits));
    }

    const std::int64_t least_ns_;
    std::int64_t from_ns_;
    std::int64_t to_ns_;
    std::int64_t width_ns_;
    const std::optional<Duration> budget_;
    bool first_ = true;
    SteadyTime began_{};
    SteadyTime slice_began_{};
};

}  // namespace stoker::records
