// What one arm of a canary release did since its step began: counted by requests on any loop, read by the judge.
//
// Adding costs three relaxed atomic increments at most. Thread-safe; reset() while requests end loses some of them,
// which no judgement notices.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace stoker::gateway {

// Times in buckets that grow by a twelfth of an octave (6 %) from 1 ms to 1000 s.
class TimeBuckets {
public:
    static constexpr std::size_t kCount = 12 * 20;

    void add(std::int64_t nanoseconds);
    void reset();
    std::int64_t count() const;
    // In seconds, of the quantile q in [0, 1]; 0 if nothing was counted.
    double quantile(double q) const;

private:
    std::array<std::atomic<std::uint32_t>, kCount> counts_{};
};

struct CanarySample {
    std::atomic<std::int64_t> good{0};
    std::atomic<std::int64_t> failed{0};
    TimeBuckets first_token;  // Of streams.
    TimeBuckets duration;     // Of whole answers.

    void reset();
};

}  // namespace stoker::gateway
