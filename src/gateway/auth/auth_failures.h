// How often each peer was refused for its credentials, so that guessing is cheap for us and hopeless for whoever does.
//
// A bucket for each peer that failed: kBurst failures at once, then one every kRefill. A peer past that is told to wait
// and its tokens' signatures are not computed, but a good key still passes: many clients may share one address.
// Peers are whole addresses, for IPv6 the /64 that one customer has. At most kMostPeers are told apart; further ones
// share one bucket. Thread-safe; only failures take the lock.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/sync.h"
#include "base/time.h"

namespace stoker::gateway {

// "203.0.113.7:5555" is "203.0.113.7", "[2001:db8:1:2::3]:5555" is "2001:db8:1:2::/64".
std::string peer_network(std::string_view peer);

class AuthFailures {
public:
    static constexpr int kBurst = 20;
    static constexpr Duration kRefill{1'000};
    static constexpr std::size_t kMostPeers = 4096;

    // One more failure. How long the peer should wait, if that was one too many.
    std::optional<Duration> note(std::string_view peer, SteadyTime now);
    // The same without counting one.
    std::optional<Duration> wait(std::string_view peer, SteadyTime now) const;

    std::size_t peers_for_test() const;

private:
    static std::optional<Duration> wait_until(SteadyTime full_at, SteadyTime now);
    void forget_recovered(SteadyTime now) REQUIRES_LOCK(mutex_);

    mutable Mutex mutex_;
    // When the peer's bucket is full again: that it is kBurst * kRefill away means that the bucket is empty.
    std::unordered_map<std::string, SteadyTime> full_at_ GUARDED_BY(mutex_);
};

}  // namespace stoker::gateway
