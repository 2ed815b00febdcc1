// The HTTP/1.1 server: one acceptor on each loop (SO_REUSEPORT), keep-alive, bodies streamed both ways, a deadline on
// every wait.
//
// A handler is a coroutine that gets an Exchange, reads the request body if it wants it, and answers once. It runs on
// the connection's loop. What it leaves unread of a small body is drained, of a large one the connection is closed; if
// it returns without answering, the client gets a 500.
//
// Slow-loris, header floods and oversized bodies are answered (408, 431, 413) and closed by the server itself.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "net/http.h"
#include "net/loops.h"

namespace stoker::net {

// One request and its answer, on one connection. Lives on that connection's loop; not thread-safe.
class Exchange {
public:
    virtual ~Exchange() = default;

    virtual const RequestHead& request() const = 0;
    // When the request head was complete.
    virtual SteadyTime received_at() const = 0;

    // The whole body. Errors: ResourceExhausted past `limit` (answer 413), DeadlineExceeded, Cancelled (client gone).
    virtual boost::asio::awaitable<Result<std::string>> read_body(std::size_t limit) = 0;
    // The next piece of the body, empty at its end. The view holds until the next call. Errors as above.
    virtual boost::asio::awaitable<Result<std::string_view>> read_some() = 0;

    // A whole answer, with Content-Length. One of respond() and start() may be called, once.
    virtual boost::asio::awaitable<Result<Unit>> respond(Response response) = 0;

    // A streamed answer: start, write*, finish. Chunked unless the head carries Content-Length. Each write is flushed
    // to the socket before it returns. Errors: Cancelled (client gone), DeadlineExceeded (client reads too slowly).
    virtual boost::asio::awaitable<Result<Unit>> start(ResponseHead head) = 0;
    virtual boost::asio::awaitable<Result<Unit>> write(std::string_view data) = 0;
    virtual boost::asio::awaitable<Result<Unit>> finish() = 0;
    // Cuts the connection, so that the client sees a truncated body and not a clean end.
    virtual void abort() = 0;

    virtual bool started() const = 0;

    // Calls `gone` at most once, on this loop, when the client closes its side before the answer is finished. Watching
    // begins once the body has been read to its end. Empty function: stop watching.
    virtual void on_client_gone(std::function<void()> gone) = 0;
    virtual bool client_gone() const = 0;
};

using Handler = std::function<boost::asio::awaitable<void>(Exchange&)>;

struct TlsServerOptions {
    std::string certificate_file;  // PEM chain.
    std::string key_file;          // PEM.
};

struct ServerOptions {
    std::string name;    // "gateway", "console": the `listener` label of the server's metrics.
    std::string listen;  // HOST:PORT, port 0 for a free one, [::1]:80 for IPv6.
    std::optional<TlsServerOptions> tls;
    std::size_t max_header_bytes = 64 * 1024;
    std::uint64_t max_body_bytes = 64ull * 1024 * 1024;
    std::size_t max_connections = 16384;  // Past that, accepting waits.
    Duration header_timeout{10'000};      // From the first byte of a request to the end of its head.
    Duration body_timeout{30'000};        // Between two pieces of a body.
    Duration idle_timeout{75'000};        // Between two requests.
    Duration write_timeout{60'000};       // For one write to be taken by the client.

    // The answers that the server makes itself (400, 408, 413, 417, 431, 500). Empty: the console's error shape,
    // {"status":"error","error":{"code","message"}}.
    std::function<Response(int status, Errc code, std::string_view message)> error_response;
};

class Server {
public:
    // Binds and starts to accept on every loop. Errors: InvalidArgument (address, certificate), Conflict (in use).
    static Result<std::unique_ptr<Server>> open(Loops& loops, ServerOptions options, Handler handler,
                                                metrics::Registry& registry);
    virtual ~Server() = default;

    // HOST:PORT really bound.
    virtual std::string address() const = 0;

    // Stops accepting, lets running exchanges finish within `grace`, then cuts them. Blocks until no connection is
    // left. REQUIRES: called from no loop.
    virtual void stop(Duration grace) = 0;
};

}  // namespace stoker::net
