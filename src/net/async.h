// Small coroutine helpers: deadlines, sleeping, work on another thread.
//
// gcc 12 rules that hold for every coroutine here: parameters by value, no capturing lambda temporary in an expression
// with co_await, no capturing coroutine lambdas.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "base/time.h"

namespace stoker::net {

// Sleeps on the caller's loop. Errors: Cancelled.
boost::asio::awaitable<Result<Unit>> sleep_for(Duration duration);

// The work's result, or DeadlineExceeded after `limit`, whichever comes first; the loser is cancelled.
template <typename T>
boost::asio::awaitable<Result<T>> with_deadline(boost::asio::awaitable<Result<T>> work, Duration limit) {
    using namespace boost::asio::experimental::awaitable_operators;
    auto both = co_await (std::move(work) || sleep_for(limit));
    if (both.index() == 0) co_return std::move(std::get<0>(both));
    co_return Error{Errc::DeadlineExceeded, "no result within " + format_duration(limit)};
}

// Runs `work` on `pool` and resumes on the caller's loop with its result.
template <typename T>
boost::asio::awaitable<T> run_on(boost::asio::thread_pool& pool, std::function<T()> work) {
    auto home = co_await boost::asio::this_coro::executor;
    auto result = std::make_shared<std::optional<T>>();
    co_await boost::asio::post(boost::asio::bind_executor(pool.get_executor(), boost::asio::use_awaitable));
    result->emplace(work());
    co_await boost::asio::post(boost::asio::bind_executor(home, boost::asio::use_awaitable));
    co_return std::move(**result);
}

}  // namespace stoker::net
