// How finely samples are kept: every round while something happens and for a while after, one round in a while when all
// is quiet.
//
// Rounds that quiet leaves out are held back until the next one that is kept, so that when something begins what led up
// to it is there as well, in order. Time is an argument.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace stoker::agent {

struct ResolutionOptions {
    bool enabled = false;
    Duration quiet_interval{15'000};  // Between two rounds that are kept when all is quiet.
    Duration linger{2 * 60'000};      // Every round is kept for so long after something happened.
    // PromQL, as for local rules: something happens while one of them gives anything.
    std::vector<std::string> when = default_signs();

    // Pressure on CPU, memory or disks, a jump of the load, OOM kills, network errors, GPUs that begin or stop to work,
    // XIDs, known failures in logs.
    static std::vector<std::string> default_signs();
};

// Shared by all sources. Thread-safe.
class Resolution {
public:
    // Fine at first: what starts the agent may be what happened.
    Resolution(Duration linger, SteadyTime now) : linger_(linger) { happens(now); }

    void happens(SteadyTime now) { fine_until_ = (now + linger_).time_since_epoch().count(); }
    bool fine(SteadyTime now) const { return now.time_since_epoch().count() < fine_until_; }

    void count_left_out(std::size_t samples) { left_out_ += samples; }
    std::uint64_t left_out() const { return left_out_; }

private:
    const Duration linger_;
    std::atomic<SteadyTime::rep> fine_until_ = 0;
    std::atomic<std::uint64_t> left_out_ = 0;
};

// The rounds of one source. For one thread.
class Thinning {
public:
    // So much is held back at most; what is older than that is left out for good.
    static constexpr std::size_t kMostHeld = std::size_t{1} << 20;

    explicit Thinning(Duration quiet_interval) : quiet_interval_(quiet_interval) {}

    struct Round {
        std::string bytes;
        std::size_t samples = 0;
    };
    struct Kept {
        std::vector<Round> before;  // Held back until now, oldest first.
        bool this_one = false;
        std::size_t left_out = 0;  // Samples of rounds that were held back in vain.
    };
    // `encode` is called if the round is held back.
    template <typename Encode>
    Kept offer(bool fine, SteadyTime now, Encode encode) {
        Kept out;
        if (!fine && kept_any_ && now - kept_at_ < quiet_interval_) {
            hold(encode(), out);
            return out;
        }
        if (fine) {
            out.before = std::move(held_);
        } else {
            for (const Round& one : held_) out.left_out += one.samples;
        }
        held_.clear();
        held_bytes_ = 0;
        out.this_one = true;
        kept_any_ = true;
        kept_at_ = now;
        return out;
    }
    std::size_t held_bytes() const { return held_bytes_; }

private:
    void hold(Round round, Kept& out);

    const Duration quiet_interval_;
    std::vector<Round> held_;
    std::size_t held_bytes_ = 0;
    bool kept_any_ = false;
    SteadyTime kept_at_{};
};

}  // namespace stoker::agent
