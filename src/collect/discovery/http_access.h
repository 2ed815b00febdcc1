// GETs for jobs and sources: with their credentials, redirects and gzip, every wait bounded, and to be called off.
//
// Lives on one loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "collect/discovery/http_config.h"
#include "collect/scrape/http_get.h"
#include "net/client.h"

namespace stoker::collect {

// Calls off what one coroutine waits for, now and for good. On the loop of what waits.
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

struct FetchOptions {
    Duration limit{10'000};  // For all of it.
    std::size_t max_body = std::size_t{16} << 20;
    std::string accept = "*/*";
    bool gzip = true;
    net::Headers headers{};
};

class HttpAccess {
public:
    // Errors: InvalidArgument (certificate files that can't be read).
    static Result<std::shared_ptr<HttpAccess>> create(boost::asio::io_context& loop, HttpConfig config);

    // The page, decompressed; any status. Errors: as net::Client; DeadlineExceeded; NotFound and PermissionDenied for a
    // file with credentials.
    boost::asio::awaitable<Result<Page>> get(net::Url url, FetchOptions options, Stopper& stopper);

    // The response whose body is still to come, for what streams. The caller tells `stopper` of the call.
    boost::asio::awaitable<Result<std::unique_ptr<net::Call>>> open(net::Url url, FetchOptions options,
                                                                    Stopper& stopper);

private:
    HttpAccess(boost::asio::io_context& loop, HttpConfig config);
    Result<std::string> authorization() const;

    const HttpConfig config_;
    const std::unique_ptr<net::Client> client_;
};

}  // namespace stoker::collect
