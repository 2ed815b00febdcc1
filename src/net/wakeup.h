// Lets one coroutine wait for a call on its own loop.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

namespace stoker::net::internal {

class Wakeup {
public:
    // REQUIRES: nobody waits yet. The Wakeup must not be owned by the coroutine that waits, or by what that owns: it
    // holds the coroutine meanwhile, and neither would ever be destroyed with a loop that ends.
    boost::asio::awaitable<void> wait() {
        auto keep = [this](Waiter waiter) { waiter_.emplace(std::move(waiter)); };
        co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(keep,
                                                                                           boost::asio::use_awaitable);
    }

    // Resumes the one who waits, in place; does nothing if nobody does.
    void notify() {
        if (waiter_) std::exchange(waiter_, std::nullopt).value()();
    }

private:
    using Waiter = boost::asio::async_result<boost::asio::use_awaitable_t<>, void()>::handler_type;

    std::optional<Waiter> waiter_;
};

}  // namespace stoker::net::internal
