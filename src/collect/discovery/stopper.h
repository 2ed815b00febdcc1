// Calls off what one coroutine waits for, now and for good. On the loop of what waits.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/time.h"
#include "net/client.h"

namespace stoker::collect {

class Stopper {
public:
    explicit Stopper(boost::asio::io_context& loop) : timer_(loop) {}

    void stop();
    bool stopped() const { return stopped_; }

    // Sleeps, unless stopped.
    boost::asio::awaitable<void> sleep_until(SteadyTime time);
    boost::asio::awaitable<void> sleep_for(Duration duration);
    // Ends a sleep under way before its time.
    void wake() { timer_.cancel(); }

    // What stop() is to cancel besides; null when that is over.
    void watch(net::Call* call) { call_ = call; }
    net::CancelToken& token() { return token_; }

private:
    boost::asio::steady_timer timer_;
    net::CancelToken token_;
    net::Call* call_ = nullptr;
    bool stopped_ = false;
};

}  // namespace stoker::collect
