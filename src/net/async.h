// Small coroutine helpers: deadlines, sleeping, work on another thread.
//
// gcc 12 rules that hold for every coroutine here: parameters by value, no capturing lambda temporary in an expression
// with co_await, no capturing coroutine lambdas, and two that crash at run time or do not compile: no co_await inside a
// condition (`if (!co_await f())`: name the value first), no initializer list inside a co_await expression.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "base/time.h"

namespace stoker::net {

// Sleeps on the caller's loop. Errors: Cancelled.
boost::asio::awaitable<Result<Unit>> sleep_for(Duration duration);

namespace internal {

// Carries an exception past operator||, which would wait for the other side and then forget it.
template <typename T>
boost::asio::awaitable<Result<T>> keep_exception(boost::asio::awaitable<Result<T>> work, std::exception_ptr& thrown) {
    try {
        co_return co_await std::move(work);
    } catch (...) {
        thrown = std::current_exception();
    }
    co_return Error{Errc::Internal, "threw"};
}

}  // namespace internal

// The work's result, or DeadlineExceeded after `limit`, whichever comes first; the loser is cancelled. What the work
// throws is thrown on.
template <typename T>
boost::asio::awaitable<Result<T>> with_deadline(boost::asio::awaitable<Result<T>> work, Duration limit) {
    using namespace boost::asio::experimental::awaitable_operators;
    std::exception_ptr thrown;
    auto both = co_await (internal::keep_exception<T>(std::move(work), thrown) || sleep_for(limit));
    if (both.index() == 0) {
        if (thrown) std::rethrow_exception(thrown);
        co_return std::move(std::get<0>(both));
    }
    if (!std::get<1>(both)) co_return Error{Errc::Cancelled, "cancelled while waiting"};
    co_return Error{Errc::DeadlineExceeded, "no result within " + format_duration(limit)};
}

// Runs `work` on `pool` and resumes on the caller's loop with its result, or with what it threw. The coroutine itself
// never leaves its loop: a cancellation could otherwise meet it on the wrong thread. Cancelling does not stop the work.
// REQUIRES: the pool is joined before the loop is destroyed.
template <typename T>
boost::asio::awaitable<T> run_on(boost::asio::thread_pool& pool, std::function<T()> work) {
    struct Job {
        std::function<T()> work;
        std::optional<T> result;
        std::exception_ptr thrown;
    };
    auto job = std::make_shared<Job>(Job{std::move(work), std::nullopt, nullptr});
    auto initiate = [&pool, job](auto handler) {
        namespace asio = boost::asio;
        auto home = asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked);
        auto run = [job, home, done = std::move(handler)]() mutable {
            try {
                job->result.emplace(job->work());
            } catch (...) {
                job->thrown = std::current_exception();
            }
            job = nullptr;  // The coroutine's thread destroys it.
            asio::post(home, std::move(done));
        };
        asio::post(pool, std::move(run));
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(initiate,
                                                                                       boost::asio::use_awaitable);
    if (job->thrown) std::rethrow_exception(job->thrown);
    co_return std::move(*job->result);
}

}  // namespace stoker::net
