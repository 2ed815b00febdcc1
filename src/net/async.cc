#include "net/async.h"

#include <boost/asio/as_tuple.hpp>

namespace stoker::net {
namespace asio = boost::asio;

asio::awaitable<Result<Unit>> sleep_for(Duration duration) {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (ec) co_return Error{Errc::Cancelled, "cancelled while waiting"};
    co_return Unit{};
}

}  // namespace stoker::net
