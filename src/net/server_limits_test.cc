// What the server refuses: too slow, too large, malformed, two-faced.
#include <boost/asio/awaitable.hpp>
#include <thread>

#include "net/loopback_test.h"
#include "net/server.h"

namespace stoker::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::eventually;
using test::RawSocket;
using test::TestServer;

// Echoes bodies, 413 and 408 where reading them fails so.
asio::awaitable<void> echo(Exchange& exchange) {
    Response response;
    auto body = co_await exchange.read_body(1000);
    if (body) {
        response.body = *std::move(body);
    } else {
        const Errc code = body.error().code;
        response.status = code == Errc::ResourceExhausted ? 413 : code == Errc::DeadlineExceeded ? 408 : 400;
    }
    (void)co_await exchange.respond(std::move(response));
}

asio::awaitable<void> stream_forever(Exchange& exchange) {
    (void)co_await exchange.start(ResponseHead{});
    const std::string block(256 * 1024, 'x');
    while (true) {
        const auto written = co_await exchange.write(block);
        if (!written) break;
    }
}

ServerOptions quick() {
    ServerOptions options;
    options.max_header_bytes = 2048;
    options.max_body_bytes = 5000;
    options.header_timeout = Duration{100};
    options.body_timeout = Duration{100};
    options.write_timeout = Duration{100};
    return options;
}

std::string first_line(const std::string& response) {
    return response.substr(0, response.find("\r\n"));
}

// The first line of the answer to `bytes`, which must end the connection.
std::string refused(TestServer& server, std::string_view bytes) {
    RawSocket client(server.address());
    client.send(bytes);
    return first_line(client.receive_all());
}

constexpr std::string_view k400 = "HTTP/1.1 400 Bad Request";
constexpr std::string_view k408 = "HTTP/1.1 408 Request Timeout";
constexpr std::string_view k413 = "HTTP/1.1 413 Content Too Large";
constexpr std::string_view k431 = "HTTP/1.1 431 Request Header Fields Too Large";

TEST(ServerLimits, MalformedRequests) {
    TestServer server(echo, quick());
    for (const auto* bytes : {"GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
                              "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
                              "\x16\x03\x01\x02\x05\x01\r\n\r\n"}) {
        EXPECT_EQ(refused(server, bytes), k400) << bytes;
    }
    EXPECT_EQ(server.metric("stoker_http_refused_total", "malformed"), 6);
}

TEST(ServerLimits, SmugglingAttemptsEndTheConnection) {
    TestServer server(echo, quick());
    const std::string smuggled = "\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: x\r\n\r\n";
    for (const auto* fields :
         {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
          "Content-Length: 5\r\nContent-Length: 6\r\n", "Transfer-Encoding: xchunked\r\n", "X: a\r\n b\r\n"}) {
        RawSocket client(server.address());
        client.send("POST / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + smuggled);
        const auto response = client.receive_all();
        EXPECT_EQ(first_line(response), k400) << fields;
        EXPECT_EQ(response.find("HTTP/1.1 ", 5), std::string::npos) << "a second answer to " << fields;
    }
}

TEST(ServerLimits, RefusalsCarryTheErrorShape) {
    TestServer server(echo, quick());
    RawSocket client(server.address());
    client.send("GARBAGE\r\n\r\n");
    const auto response = client.receive_all();
    EXPECT_NE(response.find("Content-Type: application/json\r\n"), std::string::npos);
    EXPECT_NE(response.find("Connection: close\r\n"), std::string::npos);
    EXPECT_NE(response.find("\r\n\r\n{\"status\":\"error\",\"error\":{\"code\":\"invalid_argument\",\"message\":"),
              std::string::npos);

    ServerOptions options = quick();
    options.error_response = [](int status, Errc, std::string_view) { return Response{status, {}, "mine"}; };
    TestServer own(echo, options);
    RawSocket other(own.address());
    other.send("GARBAGE\r\n\r\n");
    EXPECT_TRUE(other.receive_all().ends_with("\r\n\r\nmine"));
}

TEST(ServerLimits, HeaderFloods) {
    TestServer server(echo, quick());
    EXPECT_EQ(refused(server, "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(100'000, 'x')), k431);
    EXPECT_EQ(refused(server, "GET /" + std::string(100'000, 'x')), k431);
    std::string many = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 10'000; ++i) many += "A: b\r\n";
    EXPECT_EQ(refused(server, many), k431);
}

TEST(ServerLimits, SlowHeadsAreCutAndIdleConnectionsClosed) {
    ServerOptions options = quick();
    options.idle_timeout = Duration{150};
    TestServer server(echo, options);
    RawSocket slow(server.address());
    slow.send("GET / HTTP/1.1\r\nHost: x\r\n");
    const auto start = std::chrono::steady_clock::now();
    std::thread dripping([&] {
        // Each byte comes in good time; the head as a whole does not.
        for (int i = 0; i < 50; ++i) {
            slow.send("A");
            std::this_thread::sleep_for(10ms);
        }
    });
    EXPECT_EQ(first_line(slow.receive_until("\r\n\r\n")), k408);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
    dripping.join();

    RawSocket idle(server.address());
    EXPECT_EQ(idle.receive_all(), "");
    EXPECT_GT(std::chrono::steady_clock::now() - start, 150ms);
}

TEST(ServerLimits, BodiesPastTheLimit) {
    TestServer server(echo, quick());
    const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n";
    // The server's limit, announced; the handler's, announced and found out.
    EXPECT_EQ(refused(server, post + "Content-Length: 5001\r\n\r\n"), k413);
    EXPECT_EQ(refused(server, post + "Content-Length: 5001\r\nExpect: 100-continue\r\n\r\n"), k413);
    EXPECT_EQ(refused(server, post + "Content-Length: 1001\r\n\r\n" + std::string(1001, 'x')), k413);
    EXPECT_EQ(refused(server, post + "Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x')), k413);
    RawSocket fits(server.address());
    fits.send(post + "Content-Length: 1000\r\n\r\n" + std::string(1000, 'x'));
    EXPECT_EQ(first_line(fits.receive_response()), "HTTP/1.1 200 OK");
}

TEST(ServerLimits, BodiesThatStallOrBreak) {
    TestServer server(echo, quick());
    const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n";
    EXPECT_EQ(refused(server, post + "Content-Length: 10\r\n\r\nabc"), k408);
    EXPECT_EQ(refused(server, post + "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"), k400);
    EXPECT_EQ(refused(server, post + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(100'000, 'x')), k400);
}

TEST(ServerLimits, ClientsThatDoNotReadAreCut) {
    TestServer server(stream_forever, quick());
    RawSocket client(server.address());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return server.metric("stoker_http_connections", "test") == 1; }));
    EXPECT_TRUE(eventually([&] { return server.metric("stoker_http_connections", "test") == 0; }));
}

TEST(ServerLimits, UnknownExpectations) {
    TestServer server(echo, quick());
    EXPECT_EQ(refused(server, "GET / HTTP/1.1\r\nHost: x\r\nExpect: cake\r\n\r\n"), "HTTP/1.1 417 Expectation Failed");
}

}  // namespace
}  // namespace stoker::net
