// The console: the HTTP API that docs/api.md describes, Prometheus' query API, and the page.
//
// handle() runs on the listener's event loops; work goes to the compute pool, queries to a pool of their own, so that
// slow ones hold up neither pushes nor pages. A query whose client leaves is told to stop. Thread-safe.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>

#include "api/cors.h"
#include "api/push.h"
#include "api/router.h"
#include "api/services.h"
#include "net/server.h"

namespace stoker::api {

struct ConsolePools {
    boost::asio::thread_pool& work;     // Handlers that may block, and pushes.
    boost::asio::thread_pool& queries;  // As many at a time as it has threads.
};

class Console {
public:
    // REQUIRES: services and pools outlive the console.
    Console(Services& services, ConsolePools pools);

    boost::asio::awaitable<void> handle(net::Exchange& exchange);

private:
    boost::asio::awaitable<net::Response> answer(net::Exchange& exchange);
    boost::asio::awaitable<net::Response> run_route(net::Exchange& exchange, const Route& route, ApiRequest request);
    boost::asio::awaitable<net::Response> push(net::Exchange& exchange, const PushEndpoint& endpoint);
    boost::asio::awaitable<Result<std::string>> push_body(net::Exchange& exchange, BodyBudget::Share& share);
    boost::asio::awaitable<void> stream(net::Exchange& exchange);
    boost::asio::awaitable<void> tail(net::Exchange& exchange);
    boost::asio::awaitable<void> events(net::Exchange& exchange, std::function<std::string()> take);
    net::Response not_found(const ApiRequest& request, const Match& match, const net::RequestHead& head) const;

    Services& services_;
    const ConsolePools pools_;
    const Router router_;
    const Origins origins_;
    BodyBudget budget_;
};

}  // namespace stoker::api
