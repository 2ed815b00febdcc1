// The console: the HTTP API that docs/api.md describes, Prometheus' query API, and the page.
//
// handle() runs on the listener's event loops; work goes to the compute pool. Thread-safe.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>

#include "api/router.h"
#include "api/services.h"
#include "net/server.h"

namespace stoker::api {

class Console {
public:
    // `pool` runs handlers that may block. REQUIRES: both outlive the console.
    Console(Services& services, boost::asio::thread_pool& pool);

    boost::asio::awaitable<void> handle(net::Exchange& exchange);

private:
    boost::asio::awaitable<net::Response> answer(net::Exchange& exchange);
    boost::asio::awaitable<void> stream(net::Exchange& exchange);

    Services& services_;
    boost::asio::thread_pool& pool_;
    Router router_;
};

}  // namespace stoker::api
