// What the tests of server and client share: loops, a server on a free port, raw sockets with deadlines, and a way to
// run a coroutine from a test.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "net/client.h"
#include "net/loops.h"
#include "net/server.h"

namespace stoker::net::test {

// Runs a coroutine on `loop` and waits for what it returns. Fails hard after ten seconds: no test waits that long.
template <typename T>
T run(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
    auto future = boost::asio::co_spawn(loop, std::move(work), boost::asio::use_future);
    if (future.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
        ADD_FAILURE() << "a coroutine did not end within 10 s";
        std::abort();
    }
    return future.get();
}

// Polls until `condition` holds; false after five seconds.
bool eventually(const std::function<bool()>& condition);

// A blocking socket with a receive timeout: it sends and shows exactly what stands on the wire.
class RawSocket {
public:
    explicit RawSocket(const std::string& address);
    explicit RawSocket(int descriptor) : descriptor_(descriptor) {}
    ~RawSocket();
    RawSocket(const RawSocket&) = delete;
    RawSocket& operator=(const RawSocket&) = delete;

    void send(std::string_view bytes);
    // What has come when `end` has come, or the connection ended, or five seconds passed.
    std::string receive_until(std::string_view end);
    // Everything to the end of the connection.
    std::string receive_all() { return receive_until({}); }
    // One response with Content-Length or chunked, head and body as on the wire.
    std::string receive_response();
    // True once the peer has closed or reset.
    bool at_end();
    void shutdown_send();
    void reset();  // Closes with RST.
    void close();

private:
    bool fill();

    int descriptor_ = -1;
    std::string received_;
    bool ended_ = false;
};

// A server with one handler on one loop.
class TestServer {
public:
    explicit TestServer(Handler handler, ServerOptions options = {}, std::size_t loops = 1);
    ~TestServer();

    std::string address() const { return server_->address(); }
    Url url(std::string path = "/") const;
    Server& server() { return *server_; }
    Loops& loops() { return loops_; }
    double metric(const std::string& name, const std::string& label) const;

private:
    Loops loops_;
    metrics::Registry registry_;
    std::unique_ptr<Server> server_;
};

// A listening socket whose connections the test plays itself.
class ScriptedUpstream {
public:
    ScriptedUpstream();
    ~ScriptedUpstream();

    Url url(std::string path = "/") const;
    // Waits for the next connection.
    std::unique_ptr<RawSocket> accept();
    // Nobody listens any more.
    void close();

private:
    int descriptor_ = -1;
    int port_ = 0;
};

}  // namespace stoker::net::test
