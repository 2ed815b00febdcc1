// Coroutines on any loop that wait until there is something new. Guarded by whoever owns it.
//
//   under the owner's lock:  waiters.add(timer)        by the one who waits, on its own loop,
//   then, without the lock:  co_await timer->async_wait(...)   until the timer is cancelled, or its time has come
//   under the owner's lock:  waiters.wake()            by anybody
//
// Nothing is lost between the two steps of waiting, for a timer is cancelled on its own loop, which is busy until the
// coroutine waits. A cancel that comes late wakes a later wait for nothing: look again.
#pragma once

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <utility>
#include <vector>

namespace stoker::gateway {

using WaitTimer = std::shared_ptr<boost::asio::steady_timer>;

class Waiters {
public:
    void add(WaitTimer timer) { waiting_.push_back(std::move(timer)); }
    void remove(const WaitTimer& timer) {
        waiting_.erase(std::remove(waiting_.begin(), waiting_.end(), timer), waiting_.end());
    }
    void wake() {
        for (auto& timer : std::exchange(waiting_, {})) {
            const auto executor = timer->get_executor();
            boost::asio::post(executor, [timer = std::move(timer)]() { timer->cancel(); });
        }
    }

private:
    std::vector<WaitTimer> waiting_;
};

}  // namespace stoker::gateway
