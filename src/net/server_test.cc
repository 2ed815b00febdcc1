#include "net/server.h"

#include <boost/asio/awaitable.hpp>
#include <thread>

#include "net/async.h"
#include "net/loopback_test.h"

namespace stoker::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::eventually;
using test::RawSocket;
using test::TestServer;
using testing::Test;

// gcc 12 rejects an initializer list inside a co_await expression, hence the functions and names.
Response hello(std::string_view path) {
    return {200, {{"X-Path", std::string(path)}}, "hello"};
}

Response plain(int status, std::string body) {
    return {status, {}, std::move(body)};
}

// "/" says hello, "/echo" gives the body back, "/stream" three chunks, "/throw" throws, "/silent" answers nothing,
// "/early" answers without reading the body.
asio::awaitable<void> serve(Exchange& exchange) {
    const auto path = exchange.request().path();
    if (path == "/echo") {
        auto body = co_await exchange.read_body(1 << 20);
        if (!body) {
            const int status = body.error().code == Errc::ResourceExhausted ? 413 : 400;
            (void)co_await exchange.respond(plain(status, body.error().message));
            co_return;
        }
        (void)co_await exchange.respond(plain(200, *std::move(body)));
    } else if (path == "/stream") {
        ResponseHead head;
        head.headers.add("Content-Type", "text/plain");
        (void)co_await exchange.start(std::move(head));
        (void)co_await exchange.write("one");
        (void)co_await exchange.write("");
        (void)co_await exchange.write("twenty characters ..");
        (void)co_await exchange.finish();
    } else if (path == "/throw") {
        throw std::runtime_error("as asked");
    } else if (path != "/silent") {
        Response response = hello(path);
        (void)co_await exchange.respond(std::move(response));
    }
}

std::string get(std::string_view target, std::string_view more = "") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n" + std::string(more) + "\r\n";
}

std::string body_of(const std::string& response) {
    return response.substr(response.find("\r\n\r\n") + 4);
}

std::string status_of_text(const std::string& response) {
    return response.substr(0, response.find("\r\n"));
}

TEST(Server, AnswersAndKeepsTheConnection) {
    TestServer server(serve);
    RawSocket client(server.address());
    for (int i = 0; i < 3; ++i) {
        client.send(get("/"));
        const auto response = client.receive_response();
        EXPECT_EQ(status_of_text(response), "HTTP/1.1 200 OK");
        EXPECT_EQ(body_of(response), "hello");
        EXPECT_NE(response.find("\r\nDate: "), std::string::npos);
        EXPECT_EQ(response.find("Connection:"), std::string::npos);
    }
    EXPECT_TRUE(eventually([&] { return server.metric("stoker_http_requests_total", "2xx") == 3; }));
    EXPECT_EQ(server.metric("stoker_http_connections", "test"), 1);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
    TestServer server(serve);
    RawSocket client(server.address());
    client.send(get("/1") + "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\r\n" + get("/2"));
    EXPECT_NE(client.receive_response().find("X-Path: /1"), std::string::npos);
    EXPECT_EQ(body_of(client.receive_response()), "abc");
    EXPECT_NE(client.receive_response().find("X-Path: /2"), std::string::npos);
}

TEST(Server, StreamsInChunks) {
    TestServer server(serve);
    RawSocket client(server.address());
    client.send(get("/stream"));
    const auto response = client.receive_response();
    EXPECT_NE(response.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    EXPECT_EQ(body_of(response), "3\r\none\r\n14\r\ntwenty characters ..\r\n0\r\n\r\n");
}

TEST(Server, ReadsChunkedBodiesHoweverTheyAreCut) {
    TestServer server(serve);
    const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string body = "3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
        RawSocket client(server.address());
        client.send(head + body.substr(0, cut));
        client.send(body.substr(cut));
        EXPECT_EQ(body_of(client.receive_response()), "abc0123456789") << cut;
    }
}

TEST(Server, ThrowingAndSilentHandlersGive500) {
    TestServer server(serve);
    RawSocket client(server.address());
    for (const auto* path : {"/throw", "/silent"}) {
        client.send(get(path));
        EXPECT_EQ(status_of_text(client.receive_response()), "HTTP/1.1 500 Internal Server Error");
    }
}

}  // namespace
}  // namespace stoker::net
