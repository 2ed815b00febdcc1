// Two attempts at one request that are under way at once. The first that has anything for the client has won it, and
// the other one is ended in that moment: it is on record as lost before a byte of the answer goes out.
//
// Lives in the request's frame, longer than both; touched only on its loop.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/time.h"

namespace stoker::gateway {

class Attempt;

class Race {
public:
    // `began`: when the first attempt was sent.
    Race(const boost::asio::any_io_executor& loop, SteadyTime began) : timer_(loop), began_(began) {}

    void enter(Attempt& attempt);
    void leave(const Attempt& attempt);

    // Whether this attempt has won, now or before.
    bool claim(const Attempt& attempt);
    // Only one attempt is under way.
    bool alone() const { return runners_[0] == nullptr || runners_[1] == nullptr; }
    bool decided() const { return winner_ != nullptr; }
    bool won_by(const Attempt& attempt) const { return winner_ == &attempt; }
    // No second attempt makes sense any more.
    bool over() const { return over_; }
    SteadyTime began() const { return began_; }
    // How long it took from then to the answer's first byte. REQUIRES: decided().
    SteadyTime::duration took() const { return decided_at_ - began_; }

    // Returns at `until`, or before when there is nothing to wait for any more: one has won, or stop_waiting().
    boost::asio::awaitable<void> wait_until(SteadyTime until);
    void stop_waiting();

private:
    boost::asio::steady_timer timer_;
    const SteadyTime began_;
    SteadyTime decided_at_{};
    std::array<Attempt*, 2> runners_{};
    const Attempt* winner_ = nullptr;  // For comparing only: it may be gone.
    bool over_ = false;
};

}  // namespace stoker::gateway
