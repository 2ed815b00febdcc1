#include "api/console.h"

#include <boost/asio/use_awaitable.hpp>

#include "api/handlers.h"
#include "api/live.h"
#include "api/page.h"
#include "base/log.h"
#include "net/async.h"

namespace stoker::api {
namespace {

constexpr std::size_t kMaxBody = 1024 * 1024;
constexpr Duration kStreamPoll{200};          // How late an event may reach a page.
constexpr Duration kStreamHeartbeat{15'000};  // A comment, so that proxies keep the connection.

ApiRequest parse(const net::RequestHead& head) {
    ApiRequest request;
    request.method = head.method;
    request.path = std::string(head.path());
    request.params = net::parse_query(head.query());
    return request;
}

bool is_form(const net::RequestHead& head) {
    return head.headers.get("Content-Type").value_or("").starts_with("application/x-www-form-urlencoded");
}

// A page of another site that makes a visitor's browser act here: browsers say where a request comes from.
bool from_another_site(const net::RequestHead& head) {
    if (head.method == "GET" || head.method == "HEAD") return false;
    const auto origin = head.headers.get("Origin");
    if (!origin) return false;  // Not a browser.
    const auto host = head.headers.get("Host").value_or("");
    return *origin != "http://" + std::string(host) && *origin != "https://" + std::string(host);
}

net::Response run_guarded(const Route& route, const ApiRequest& request) {
    try {
        return route.handler(request);
    } catch (const std::exception& bug) {
        log::error("console handler threw", {{"path", request.path}, {"what", bug.what()}});
        return error_response({Errc::Internal, "internal error; the log says more"});
    }
}

}  // namespace

Console::Console(Services& services, boost::asio::thread_pool& pool)
    : services_(services), pool_(pool), router_(console_routes(services)) {}

boost::asio::awaitable<void> Console::handle(net::Exchange& exchange) {
    if (exchange.request().path() == "/api/v1/stream" && exchange.request().method == "GET") {
        co_await stream(exchange);
        co_return;
    }
    auto response = co_await answer(exchange);
    auto sent = co_await exchange.respond(std::move(response));
    if (!sent) log::debug("console answer not sent", {{"error", sent.error().message}});
}

boost::asio::awaitable<net::Response> Console::answer(net::Exchange& exchange) {
    ApiRequest request = parse(exchange.request());
    if (from_another_site(exchange.request())) {
        co_return error_response(
            {Errc::PermissionDenied, "requests that change something are taken from this page only"});
    }
    Match match = router_.find(request.method, request.path);
    if (!match.route) {
        if (match.path_known) {
            auto refused = error_response({Errc::InvalidArgument, request.method + " is not for " + request.path +
                                                                      "; allowed: " + match.allowed});
            refused.status = 405;
            refused.headers.set("Allow", match.allowed);
            co_return refused;
        }
        if (request.method == "GET" || request.method == "HEAD") {
            if (auto page = page_response(request.path, exchange.request().headers)) co_return std::move(*page);
        }
        co_return error_response({Errc::NotFound, "no such endpoint: " + request.path});
    }
    auto body = co_await exchange.read_body(kMaxBody);
    if (!body) co_return error_response(body.error());
    request.body = *std::move(body);
    if (is_form(exchange.request())) {
        for (auto& param : net::parse_query(request.body)) request.params.push_back(std::move(param));
    }
    request.captures = std::move(match.captures);
    const Route& route = *match.route;
    if (route.cost == Cost::Quick) co_return run_guarded(route, request);
    std::function<net::Response()> work = [&route, &request] { return run_guarded(route, request); };
    co_return co_await net::run_on<net::Response>(pool_, work);
}

boost::asio::awaitable<void> Console::stream(net::Exchange& exchange) {
    auto subscription = services_.live.subscribe();
    auto drained = co_await exchange.read_body(kMaxBody);
    if (!drained) co_return;
    net::ResponseHead head{200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}};
    auto alive = co_await exchange.start(std::move(head));
    Duration silent{0};
    while (alive && !exchange.client_gone() && services_.status().ready) {
        std::string text = subscription->take();
        silent = text.empty() ? silent + kStreamPoll : Duration{0};
        if (silent >= kStreamHeartbeat) {
            text = ": still here\n\n";
            silent = Duration{0};
        }
        if (!text.empty()) alive = co_await exchange.write(text);
        if (alive) alive = co_await net::sleep_for(kStreamPoll);
    }
    if (alive) alive = co_await exchange.finish();
}

}  // namespace stoker::api
