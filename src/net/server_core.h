// What the connections of one server share, and the part of it that each loop keeps.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <vector>

#include "net/server.h"

namespace boost::asio::ssl {
class context;
}

namespace stoker::net::internal {

class Connection;

enum class Refusal : std::uint8_t { Malformed, HeadTooLarge, BodyTooLarge, HeadTimeout, Expectation, Overload };

// Handles looked up once; constant after construction.
struct ServerMetrics {
    ServerMetrics(metrics::Registry& registry, const std::string& listener);

    metrics::Gauge* connections;
    std::array<metrics::Counter*, 6> requests;  // By the status' first digit; [0] for answers cut or never given.
    std::array<metrics::Counter*, 6> refused;   // By Refusal.
};

// One loop's acceptor and connections; touched only on that loop once the server is open.
struct ServerLoop {
    explicit ServerLoop(boost::asio::io_context& context) : loop(context) {}

    boost::asio::io_context& loop;
    std::optional<boost::asio::ip::tcp::acceptor> acceptor;
    std::unordered_set<Connection*> connections;
    bool draining = false;
};

// Owned by the Server and by every connection. Thread-safe where it is not constant.
struct ServerCore {
    ServerCore(ServerOptions given, Handler given_handler, metrics::Registry& registry);
    ~ServerCore();

    Response error_response(int status, Errc code, std::string_view message) const;

    const ServerOptions options;
    const Handler handler;
    std::shared_ptr<boost::asio::ssl::context> tls;
    const ServerMetrics metrics;

    // Connections and accept loops that are alive; stop() waits for none.
    void enter();
    void leave();
    bool wait_until_empty(Duration limit);
    std::atomic<std::size_t> connections{0};

    std::vector<std::unique_ptr<ServerLoop>> loops;

private:
    std::mutex mutex_;
    std::condition_variable empty_;
    std::size_t alive_ = 0;  // Guarded by mutex_.
};

}  // namespace stoker::net::internal
