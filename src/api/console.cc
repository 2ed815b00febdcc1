#include "api/console.h"

#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "api/events.h"
#include "api/handlers.h"
#include "api/live.h"
#include "api/log_tail.h"
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
    request.accept = head.headers.get("Accept").value_or("");
    return request;
}

bool is_form(const net::RequestHead& head) {
    return head.headers.get("Content-Type").value_or("").starts_with("application/x-www-form-urlencoded");
}

bool is_read(const net::RequestHead& head) {
    return head.method == "GET" || head.method == "HEAD";
}

Error from_elsewhere() {
    return {Errc::PermissionDenied, "requests that change something are taken from this page only"};
}

template <typename Work>
net::Response run_guarded(const std::string& path, const Work& work) {
    try {
        return work();
    } catch (const std::exception& bug) {
        log::error("console handler threw", {{"path", path}, {"what", bug.what()}});
        return error_response({Errc::Internal, "internal error; the log says more"});
    }
}

net::Response busy(const PushEndpoint& endpoint) {
    auto response = text_response("too much is being pushed at this moment; come back later\n", endpoint.busy_status);
    response.headers.set("Retry-After", "1");
    return response;
}

net::Response wrong_method(const std::string& method, const std::string& path, const std::string& allowed) {
    auto refused = error_response({Errc::InvalidArgument, method + " is not for " + path + "; allowed: " + allowed});
    refused.status = 405;
    refused.headers.set("Allow", allowed);
    return refused;
}

}  // namespace

Console::Console(Services& services, ConsolePools pools)
    : services_(services),
      pools_(pools),
      router_(console_routes(services)),
      origins_(services.cors_origins),
      budget_(services.push_limits.max_in_flight) {}

boost::asio::awaitable<void> Console::handle(net::Exchange& exchange) {
    if (exchange.request().path() == "/api/v1/stream" && exchange.request().method == "GET") {
        co_await stream(exchange);
        co_return;
    }
    if (exchange.request().path() == "/api/v1/events/stream" && exchange.request().method == "GET") {
        co_await stream_events(exchange, services_, pools_.work);
        co_return;
    }
    if (exchange.request().path() == "/api/v1/logs/tail" && exchange.request().method == "GET") {
        co_await tail(exchange);
        co_return;
    }
    auto response = co_await answer(exchange);
    origins_.mark(exchange.request(), response);
    auto sent = co_await exchange.respond(std::move(response));
    if (!sent) log::debug("console answer not sent", {{"error", sent.error().message}});
}

boost::asio::awaitable<net::Response> Console::answer(net::Exchange& exchange) {
    const net::RequestHead& head = exchange.request();
    const bool foreign = !is_read(head) && Origins::foreign(head);
    if (const PushEndpoint* endpoint = find_push(services_.pushes, head.path())) {
        if (foreign) co_return error_response(from_elsewhere());
        if (head.method != "POST") co_return wrong_method(head.method, endpoint->path, "POST");
        co_return co_await push(exchange, *endpoint);
    }
    ApiRequest request = parse(head);
    if (head.method == "OPTIONS" && origins_.any() && request.path.starts_with("/api/v1/")) {
        co_return net::Response{204, {}, {}};
    }
    Match match = router_.find(request.method, request.path);
    // A site that may read answers may also ask with POST; to change something, only this page may.
    const bool may_ask = match.route != nullptr && match.route->reads() && origins_.allows(head);
    if (foreign && !may_ask) co_return error_response(from_elsewhere());
    if (match.route == nullptr) co_return not_found(request, match, head);
    request.captures = std::move(match.captures);
    co_return co_await run_route(exchange, *match.route, std::move(request));
}

net::Response Console::not_found(const ApiRequest& request, const Match& match, const net::RequestHead& head) const {
    if (match.path_known) return wrong_method(request.method, request.path, match.allowed);
    if (is_read(head)) {
        if (auto page = page_response(request.path, head.headers)) return *std::move(page);
    }
    const Error error{Errc::NotFound, "no such endpoint: " + request.path};
    return request.path.starts_with("/api/v1/") ? prometheus_error(error) : error_response(error);
}

boost::asio::awaitable<net::Response> Console::run_route(net::Exchange& exchange, const Route& route,
                                                         ApiRequest request) {
    auto body = co_await exchange.read_body(kMaxBody);
    if (!body) co_return error_response(body.error());
    request.body = *std::move(body);
    if (is_form(exchange.request())) {
        // As in Go, what a form says wins over the same name in the URL.
        auto form = net::parse_query(request.body);
        form.insert(form.end(), std::make_move_iterator(request.params.begin()),
                    std::make_move_iterator(request.params.end()));
        request.params = std::move(form);
    }
    if (route.cost == Cost::Quick) co_return run_guarded(request.path, [&] { return route.handler(request); });

    const auto gone = std::make_shared<std::atomic<bool>>(false);
    std::function<void()> leave = [gone] { gone->store(true, std::memory_order_relaxed); };
    exchange.on_client_gone(std::move(leave));
    request.cancelled = gone.get();
    const auto queued_at = std::chrono::steady_clock::now();
    std::function<net::Response()> work = [&route, &request, queued_at] {
        request.queued = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - queued_at);
        return run_guarded(request.path, [&] { return route.handler(request); });
    };
    boost::asio::thread_pool& pool = route.cost == Cost::Query ? pools_.queries : pools_.work;
    co_return co_await net::run_on<net::Response>(pool, work);
}

boost::asio::awaitable<net::Response> Console::push(net::Exchange& exchange, const PushEndpoint& endpoint) {
    const net::RequestHead& head = exchange.request();
    BodyBudget::Share share(budget_);
    auto body = co_await push_body(exchange, share);
    if (!body) {
        if (body.error().code == Errc::Unavailable) co_return busy(endpoint);
        auto refused = error_response(body.error());
        if (body.error().code == Errc::ResourceExhausted) refused.status = 413;
        co_return refused;
    }
    collect::PushRequest request;
    request.path = endpoint.path;
    request.headers = head.headers;
    request.params = net::parse_query(head.query());
    request.body = *std::move(body);
    request.now = services_.now();
    std::function<net::Response()> work = [&endpoint, &request] {
        return run_guarded(endpoint.path, [&] { return endpoint.receive(request); });
    };
    boost::asio::thread_pool& pool = endpoint.query ? pools_.queries : pools_.work;
    co_return co_await net::run_on<net::Response>(pool, work);
}

// Errors: ResourceExhausted (larger than one may be), Unavailable (more than there is room for now), the exchange's
// own.
boost::asio::awaitable<Result<std::string>> Console::push_body(net::Exchange& exchange, BodyBudget::Share& share) {
    const std::size_t most = services_.push_limits.max_body;
    const Error full{Errc::Unavailable, "no room for the body"};
    if (const auto text = exchange.request().headers.get("Content-Length")) {
        std::size_t announced = 0;
        std::from_chars(text->data(), text->data() + text->size(), announced);
        if (announced <= most && !share.reach(announced)) co_return full;
        co_return co_await exchange.read_body(most);
    }
    std::string body;
    while (true) {
        CO_TRY(const std::string_view piece, co_await exchange.read_some());
        if (piece.empty()) co_return body;
        if (piece.size() > most - body.size()) {
            co_return Error{Errc::ResourceExhausted, "the request body is too large"};
        }
        if (!share.reach(body.size() + piece.size())) co_return full;
        body += piece;
    }
}

boost::asio::awaitable<void> Console::stream(net::Exchange& exchange) {
    std::function<std::string()> take = [subscription = services_.live.subscribe()] { return subscription->take(); };
    co_await events(exchange, take);
}

boost::asio::awaitable<void> Console::tail(net::Exchange& exchange) {
    auto filter = log_filter(parse(exchange.request()), services_.now());
    if (!filter || services_.log_tail == nullptr) {
        const Error error = filter ? Error{Errc::Unavailable, "logs are not kept"} : filter.error();
        auto sent = co_await exchange.respond(error_response(error));
        if (!sent) log::debug("console answer not sent", {{"error", sent.error().message}});
        co_return;
    }
    filter->from_ns = 0;  // What comes in, whatever time it bears.
    std::function<std::string()> take = [subscription = services_.log_tail->subscribe(*std::move(filter))] {
        return subscription->take();
    };
    co_await events(exchange, take);
}

// Server-sent events: what `take` gives, again and again, until the client leaves.
boost::asio::awaitable<void> Console::events(net::Exchange& exchange, std::function<std::string()> take) {
    auto drained = co_await exchange.read_body(kMaxBody);
    if (!drained) co_return;
    net::ResponseHead head{200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}};
    auto alive = co_await exchange.start(std::move(head));
    Duration silent{0};
    while (alive && !exchange.client_gone() && services_.status().ready) {
        std::string text = take();
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
