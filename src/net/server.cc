#include "net/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "base/log.h"
#include "net/connection.h"
#include "net/server_core.h"
#include "net/tls.h"

namespace stoker::net {
namespace asio = boost::asio;

namespace internal {

ServerMetrics::ServerMetrics(metrics::Registry& registry, const std::string& listener) {
    connections = &registry.gauge("stoker_http_connections", "Open connections.", {"listener"}).with({listener});
    auto& all = registry.counter("stoker_http_requests_total", "Requests handled, by class of the status code.",
                                 {"listener", "code"});
    static constexpr std::array kClasses = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (std::size_t i = 0; i < kClasses.size(); ++i) requests[i] = &all.with({listener, kClasses[i]});
    auto& no = registry.counter("stoker_http_refused_total", "Requests and connections refused before a handler ran.",
                                {"listener", "reason"});
    static constexpr std::array kReasons = {"malformed",    "head_too_large", "body_too_large",
                                            "head_timeout", "expectation",    "connections"};
    for (std::size_t i = 0; i < kReasons.size(); ++i) refused[i] = &no.with({listener, kReasons[i]});
}

ServerCore::ServerCore(ServerOptions given, Handler given_handler, metrics::Registry& registry)
    : options(std::move(given)), handler(std::move(given_handler)), metrics(registry, options.name) {}

ServerCore::~ServerCore() = default;

Response ServerCore::error_response(int status, Errc code, std::string_view message) const {
    if (options.error_response) return options.error_response(status, code, message);
    // Only called with texts of our own, which need no escaping.
    Response response{status, {{"Content-Type", "application/json"}}, {}};
    response.body.append(R"({"status":"error","error":{"code":")").append(to_string(code));
    response.body.append(R"(","message":")").append(message).append(R"("}})");
    return response;
}

void ServerCore::enter() {
    std::lock_guard lock(mutex_);
    ++alive_;
}

void ServerCore::leave() {
    std::lock_guard lock(mutex_);
    if (--alive_ == 0) empty_.notify_all();
}

bool ServerCore::wait_until_empty(Duration limit) {
    std::unique_lock lock(mutex_);
    return empty_.wait_for(lock, limit, [this] { return alive_ == 0; });
}

namespace {

using asio::ip::tcp;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// Counts an accept loop among what stop() waits for, and takes its acceptor down with it.
class Accepting {
public:
    Accepting(std::shared_ptr<ServerCore> core, ServerLoop& loop) : core_(std::move(core)), loop_(&loop) {
        core_->enter();
    }
    Accepting(Accepting&& other) noexcept = default;
    Accepting& operator=(Accepting&&) = delete;
    ~Accepting() {
        if (!core_) return;
        loop_->acceptor.reset();
        core_->leave();
    }

private:
    std::shared_ptr<ServerCore> core_;
    ServerLoop* loop_;
};

asio::awaitable<void> pause(asio::io_context& loop, Duration duration) {
    asio::steady_timer timer(loop, duration);
    co_await timer.async_wait(kTuple);
}

std::string peer_name(const tcp::endpoint& peer) {
    std::string text = peer.address().to_string();
    if (peer.address().is_v6()) text = "[" + text + "]";
    return text + ":" + std::to_string(peer.port());
}

asio::awaitable<void> accept_all(std::shared_ptr<ServerCore> core, ServerLoop& loop, Accepting) {
    while (!loop.draining) {
        if (core->connections.load(std::memory_order_relaxed) >= core->options.max_connections) {
            co_await pause(loop.loop, Duration{20});
            continue;
        }
        tcp::endpoint peer;
        auto [ec, socket] = co_await loop.acceptor->async_accept(peer, kTuple);
        if (loop.draining) break;
        if (ec == asio::error::connection_aborted) continue;
        if (ec) {
            // Out of file descriptors, most likely: what is open goes on, new ones wait.
            core->metrics.refused[static_cast<std::size_t>(Refusal::Overload)]->add();
            log::warn("cannot accept a connection", {{"listener", core->options.name}, {"why", ec.message()}});
            co_await pause(loop.loop, Duration{100});
            continue;
        }
        Connection::start(std::make_shared<Connection>(core, loop, std::move(socket), peer_name(peer)));
    }
}

Result<tcp::endpoint> parse_listen(const std::string& listen) {
    const Error bad{Errc::InvalidArgument,
                    "listen address \"" + listen + "\": expected ADDRESS:PORT, as 127.0.0.1:8700"};
    const auto colon = listen.rfind(':');
    if (colon == std::string::npos) return bad;
    std::string host = listen.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    if (host.empty() || host == "*") host = "0.0.0.0";
    error_code ec;
    const auto address = asio::ip::make_address(host, ec);
    if (ec) return bad;
    std::uint16_t port = 0;
    const char* const end = listen.data() + listen.size();
    const auto parsed = std::from_chars(listen.data() + colon + 1, end, port);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return bad;
    return tcp::endpoint(address, port);
}

Result<tcp::acceptor> listen_on(asio::io_context& loop, const tcp::endpoint& endpoint) {
    using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
    error_code ec;
    tcp::acceptor acceptor(loop);
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor.set_option(ReusePort(true), ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(4096, ec);
    if (!ec) return acceptor;
    const Errc code = ec == asio::error::address_in_use ? Errc::Conflict : Errc::InvalidArgument;
    return Error{code, "listen on " + peer_name(endpoint) + ": " + ec.message()};
}

// SO_REUSEPORT lets a second process share our port without a word; a plain bind finds out who has it.
Result<Unit> check_free(asio::io_context& loop, const tcp::endpoint& endpoint) {
    if (endpoint.port() == 0) return Unit{};
    error_code ec;
    tcp::acceptor probe(loop);
    probe.open(endpoint.protocol(), ec);
    if (!ec) probe.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) probe.bind(endpoint, ec);
    if (ec == asio::error::address_in_use) return Error{Errc::Conflict, peer_name(endpoint) + " is in use"};
    return Unit{};
}

class HttpServer final : public Server {
public:
    HttpServer(std::shared_ptr<ServerCore> core, tcp::endpoint endpoint)
        : core_(std::move(core)), endpoint_(std::move(endpoint)) {}
    ~HttpServer() override { stop(Duration{0}); }

    std::string address() const override { return peer_name(endpoint_); }

    void accept() {
        for (auto& loop : core_->loops) {
            asio::co_spawn(loop->loop, accept_all(core_, *loop, Accepting(core_, *loop)), asio::detached);
        }
    }

    void stop(Duration grace) override {
        if (std::exchange(stopped_, true)) return;
        // Loops that have ended take their connections with them; nobody is left to wait for.
        if (core_->loops.front()->loop.stopped()) return;
        on_each_loop(drain);
        if (core_->wait_until_empty(grace)) return;
        on_each_loop(cut);
        if (!core_->wait_until_empty(Duration{5'000})) {
            log::error("connections would not end", {{"listener", core_->options.name}});
        }
    }

private:
    static void drain(ServerLoop& loop) {
        loop.draining = true;
        error_code ignored;
        if (loop.acceptor) loop.acceptor->close(ignored);
        const auto connections = loop.connections;
        for (Connection* connection : connections) connection->drain();
    }

    static void cut(ServerLoop& loop) {
        std::vector<std::shared_ptr<Connection>> connections;
        for (Connection* connection : loop.connections) connections.push_back(connection->shared_from_this());
        for (auto& connection : connections) connection->cut();
    }

    void on_each_loop(void (*act)(ServerLoop&)) {
        for (std::size_t i = 0; i < core_->loops.size(); ++i) {
            auto job = [core = core_, i, act] { act(*core->loops[i]); };
            asio::post(core_->loops[i]->loop, std::move(job));
        }
    }

    std::shared_ptr<ServerCore> core_;
    tcp::endpoint endpoint_;
    bool stopped_ = false;
};

}  // namespace
}  // namespace internal

Result<std::unique_ptr<Server>> Server::open(Loops& loops, ServerOptions options, Handler handler,
                                             metrics::Registry& registry) {
    using namespace internal;
    TRY(auto endpoint, parse_listen(options.listen));
    TRY_UNIT(check_free(loops.at(0), endpoint));
    std::shared_ptr<asio::ssl::context> tls;
    if (options.tls) {
        TRY(tls, server_context(*options.tls));
    }
    auto core = std::make_shared<ServerCore>(std::move(options), std::move(handler), registry);
    core->tls = std::move(tls);
    for (std::size_t i = 0; i < loops.size(); ++i) {
        auto loop = std::make_unique<ServerLoop>(loops.at(i));
        TRY(auto acceptor, listen_on(loop->loop, endpoint));
        endpoint = acceptor.local_endpoint();
        loop->acceptor.emplace(std::move(acceptor));
        core->loops.push_back(std::move(loop));
    }
    auto server = std::make_unique<HttpServer>(std::move(core), endpoint);
    server->accept();
    return std::unique_ptr<Server>(std::move(server));
}

}  // namespace stoker::net
