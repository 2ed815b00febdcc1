#include "collect/discovery/stopper.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stoker::collect {

namespace asio = boost::asio;

void Stopper::stop() {
    stopped_ = true;
    token_.cancel();
    timer_.cancel();
    if (call_ != nullptr) call_->cancel();
}

asio::awaitable<void> Stopper::sleep_until(SteadyTime time) {
    if (stopped_) co_return;
    timer_.expires_at(time);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> Stopper::sleep_for(Duration duration) {
    co_await sleep_until(std::chrono::steady_clock::now() + duration);
}

}  // namespace stoker::collect
