#include "net/server.h"

#include <atomic>
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

std::string first_line(const std::string& response) {
    return response.substr(0, response.find("\r\n"));
}

TEST(Server, AnswersAndKeepsTheConnection) {
    TestServer server(serve);
    RawSocket client(server.address());
    for (int i = 0; i < 3; ++i) {
        client.send(get("/"));
        const auto response = client.receive_response();
        EXPECT_EQ(first_line(response), "HTTP/1.1 200 OK");
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
        EXPECT_EQ(first_line(client.receive_response()), "HTTP/1.1 500 Internal Server Error");
    }
}

TEST(Server, AcceptsRequestsByteByByteAndEmptyLinesBetweenThem) {
    TestServer server(serve);
    RawSocket client(server.address());
    for (int round = 0; round < 2; ++round) {
        for (const char& c : "\r\n" + get("/x", "A: b\r\n")) client.send({&c, 1});
        EXPECT_NE(client.receive_response().find("X-Path: /x"), std::string::npos);
    }
}

TEST(Server, HeadHasTheLengthButNoBody) {
    TestServer server(serve);
    RawSocket client(server.address());
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(client.receive_until("\r\n\r\n").find("Content-Length: 5\r\n"), std::string::npos);
    client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(client.receive_until("\r\n\r\n").find("chunked"), std::string::npos);
    client.send(get("/"));
    EXPECT_EQ(body_of(client.receive_response()), "hello");
}

TEST(Server, Http10ClosesUnlessAskedAndIsNotChunked) {
    TestServer server(serve);
    RawSocket plain_client(server.address());
    plain_client.send("GET / HTTP/1.0\r\n\r\n");
    const auto response = plain_client.receive_all();
    EXPECT_NE(response.find("Connection: close\r\n"), std::string::npos);
    EXPECT_EQ(body_of(response), "hello");

    RawSocket keeping(server.address());
    keeping.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_NE(keeping.receive_response().find("Connection: keep-alive\r\n"), std::string::npos);
    keeping.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(body_of(keeping.receive_all()), "onetwenty characters ..");
}

TEST(Server, ConnectionCloseIsHonoured) {
    TestServer server(serve);
    RawSocket client(server.address());
    client.send(get("/", "Connection: close\r\n"));
    EXPECT_EQ(body_of(client.receive_all()), "hello");
}

TEST(Server, SaysContinueOnlyWhenTheHandlerReads) {
    TestServer server(serve);
    const std::string fields = "Host: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    RawSocket reading(server.address());
    reading.send("POST /echo HTTP/1.1\r\n" + fields);
    EXPECT_EQ(reading.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    reading.send("abc");
    EXPECT_EQ(body_of(reading.receive_response()), "abc");

    RawSocket eager(server.address());
    eager.send("POST /echo HTTP/1.1\r\n" + fields + "abc");
    EXPECT_EQ(first_line(eager.receive_response()), "HTTP/1.1 200 OK");

    RawSocket ignored(server.address());
    ignored.send("POST / HTTP/1.1\r\n" + fields);
    const auto response = ignored.receive_all();
    EXPECT_EQ(first_line(response), "HTTP/1.1 200 OK");
    EXPECT_NE(response.find("Connection: close"), std::string::npos);
}

TEST(Server, DrainsASmallUnreadBodyAndClosesOnALargeOne) {
    TestServer server(serve);
    RawSocket small(server.address());
    small.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345" + get("/next"));
    EXPECT_EQ(body_of(small.receive_response()), "hello");
    EXPECT_NE(small.receive_response().find("X-Path: /next"), std::string::npos);

    RawSocket large(server.address());
    large.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + std::string(1000000, 'x'));
    const auto response = large.receive_all();
    EXPECT_EQ(body_of(response), "hello");
    EXPECT_NE(response.find("Connection: close"), std::string::npos);
}

TEST(Server, SmallWritesAreNotHeldBack) {
    TestServer server(serve);
    RawSocket client(server.address());
    // Two writes of ours, three of the server: with Nagle and delayed acknowledgements each round would take 40 ms.
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i) {
        client.send("GET /stream HTTP/1.1\r\n");
        client.send("Host: x\r\n\r\n");
        EXPECT_NE(client.receive_response().find("one"), std::string::npos);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, 200ms);
}

// Waits until the client has gone, or five seconds.
struct Watch {
    std::atomic<int> gone{0};
    std::atomic<int> waiting{0};
    std::atomic<int> ended{0};
    std::atomic<bool> release{false};
};

asio::awaitable<void> watch_client(Exchange& exchange, Watch& watch) {
    auto body = co_await exchange.read_body(1000);
    auto note = [&watch] { ++watch.gone; };
    exchange.on_client_gone(note);
    ++watch.waiting;
    for (int i = 0; i < 5000 && watch.gone == 0 && !watch.release; ++i) (void)co_await sleep_for(Duration{1});
    (void)co_await exchange.respond(plain(200, exchange.client_gone() ? "gone" : "there"));
    ++watch.ended;
}

Handler watcher(Watch& watch) {
    return [&watch](Exchange& exchange) { return watch_client(exchange, watch); };
}

TEST(Server, NoticesThatTheClientHasGone) {
    for (const bool reset : {false, true}) {
        Watch watch;
        TestServer server(watcher(watch));
        RawSocket client(server.address());
        client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
        ASSERT_TRUE(eventually([&] { return watch.waiting == 1; }));
        EXPECT_EQ(watch.gone, 0);
        reset ? client.reset() : client.close();
        EXPECT_TRUE(eventually([&] { return watch.gone == 1 && watch.ended == 1; }));
        EXPECT_TRUE(eventually([&] { return server.metric("stoker_http_connections", "test") == 0; }));
    }
}

TEST(Server, WatchingTheClientLosesNoPipelinedRequest) {
    Watch watch;
    TestServer server(watcher(watch));
    RawSocket client(server.address());
    client.send(get("/1"));
    ASSERT_TRUE(eventually([&] { return watch.waiting == 1; }));
    client.send(get("/2") + get("/3"));
    watch.release = true;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(body_of(client.receive_response()), "there");
    EXPECT_EQ(watch.gone, 0);
    client.send(get("/4"));
    EXPECT_EQ(body_of(client.receive_response()), "there");
}

TEST(Server, StopLetsRunningExchangesFinishAndClosesIdleOnes) {
    Watch watch;
    auto server = std::make_unique<TestServer>(watcher(watch), ServerOptions{}, 2);
    RawSocket idle(server->address());
    RawSocket running(server->address());
    running.send(get("/"));
    ASSERT_TRUE(eventually([&] { return watch.waiting == 1; }));
    std::thread stopping([&] { server->server().stop(Duration{5000}); });
    EXPECT_TRUE(idle.at_end());
    watch.release = true;
    const auto response = running.receive_all();
    EXPECT_EQ(body_of(response), "there");
    EXPECT_NE(response.find("Connection: close"), std::string::npos);
    stopping.join();
    EXPECT_EQ(server->metric("stoker_http_connections", "test"), 0);
}

TEST(Server, StopCutsWhatOutlastsTheGrace) {
    Watch watch;
    TestServer server(watcher(watch));
    RawSocket client(server.address());
    client.send(get("/"));
    ASSERT_TRUE(eventually([&] { return watch.waiting == 1; }));
    const auto start = std::chrono::steady_clock::now();
    server.server().stop(Duration{50});
    EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
    EXPECT_EQ(client.receive_all(), "");
    EXPECT_EQ(watch.gone, 1);
}

TEST(Server, RefusesAddressesItCannotListenOn) {
    TestServer server(serve);
    Loops loops(1);
    metrics::Registry registry;
    auto open = [&](std::string listen) {
        ServerOptions options;
        options.name = "second";
        options.listen = std::move(listen);
        auto opened = Server::open(loops, options, serve, registry);
        return opened ? Errc::Internal : opened.error().code;
    };
    EXPECT_EQ(open(server.address()), Errc::Conflict);
    for (const auto* listen : {"", "x", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "nohost:1", "127.0.0.1:"}) {
        EXPECT_EQ(open(listen), Errc::InvalidArgument) << listen;
    }
}

TEST(Server, SharesThePortBetweenLoops) {
    TestServer server(serve, {}, 4);
    for (int i = 0; i < 32; ++i) {
        RawSocket client(server.address());
        client.send(get("/"));
        EXPECT_EQ(body_of(client.receive_response()), "hello");
    }
}

TEST(Server, AcceptsNoMoreThanMaxConnectionsAtATime) {
    ServerOptions options;
    options.max_connections = 2;
    TestServer server(serve, options);
    auto first = std::make_unique<RawSocket>(server.address());
    RawSocket second(server.address());
    second.send(get("/"));
    EXPECT_EQ(body_of(second.receive_response()), "hello");
    RawSocket third(server.address());
    third.send(get("/"));
    EXPECT_TRUE(eventually([&] { return server.metric("stoker_http_connections", "test") == 2; }));
    first.reset();
    EXPECT_EQ(body_of(third.receive_response()), "hello");
}

}  // namespace
}  // namespace stoker::net
