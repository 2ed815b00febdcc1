#include "gateway/upstream/race.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/check.h"
#include "gateway/upstream/attempt.h"

namespace stoker::gateway {
namespace asio = boost::asio;

void Race::enter(Attempt& attempt) {
    for (Attempt*& runner : runners_) {
        if (runner != nullptr) continue;
        runner = &attempt;
        return;
    }
    STOKER_CHECK(false, "a third attempt at once");
}

void Race::leave(const Attempt& attempt) {
    for (Attempt*& runner : runners_) {
        if (runner == &attempt) runner = nullptr;
    }
}

bool Race::claim(const Attempt& attempt) {
    if (winner_ != nullptr) return winner_ == &attempt;
    winner_ = &attempt;
    decided_at_ = std::chrono::steady_clock::now();
    stop_waiting();
    const std::array<Attempt*, 2> now = runners_;  // Ending one may take it out.
    for (Attempt* other : now) {
        if (other != nullptr && other != &attempt) other->lose();
    }
    return true;
}

asio::awaitable<void> Race::wait_until(SteadyTime until) {
    timer_.expires_at(until);
    while (!over_ && std::chrono::steady_clock::now() < until) {
        (void)co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

void Race::stop_waiting() {
    over_ = true;
    timer_.cancel();
}

}  // namespace stoker::gateway
