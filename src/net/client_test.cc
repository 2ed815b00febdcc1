#include "net/client.h"

#include <thread>

#include "net/async.h"
#include "net/loopback_test.h"

namespace stoker::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::eventually;
using test::RawSocket;
using test::ScriptedUpstream;
using test::TestServer;

Response answer(Result<std::string> body) {
    return {200, {}, body ? *std::move(body) : body.error().message};
}

asio::awaitable<void> echo(Exchange& exchange) {
    auto body = co_await exchange.read_body(64 << 20);
    (void)co_await exchange.respond(answer(std::move(body)));
}

// A client on a loop of its own. The client goes before the loop's thread does nothing more with it.
class ClientTest : public testing::Test {
protected:
    ClientTest() : loops_(1) {
        loops_.start();
        remake({});
    }
    ~ClientTest() override {
        loops_.stop();
        client_.reset();
    }

    void remake(ClientOptions options) { client_ = Client::create(loops_.at(0), std::move(options)); }

    Result<Response> get(Url url, Deadlines deadlines = {}) {
        return test::run(loops_.at(0), fetch(*client_, std::move(url), "GET", {}, "", deadlines, 1 << 20));
    }

    // A request begun in the background, for a test that plays the upstream.
    std::future<Result<Response>> begin(Url url, Deadlines deadlines = {}, std::string method = "GET") {
        return asio::co_spawn(loops_.at(0),
                              fetch(*client_, std::move(url), std::move(method), {}, "", deadlines, 1 << 20),
                              asio::use_future);
    }

    // What fails when the upstream sends `bytes` and then closes, or stays silent.
    Fault fault_after(std::string_view bytes, bool close = true) {
        const Deadlines quick{.connect = Duration{500}, .head = Duration{100}, .between = Duration{100}};
        ScriptedUpstream upstream;
        auto pending = begin(upstream.url(), quick);
        auto connection = upstream.accept();
        connection->receive_until("\r\n\r\n");
        connection->send(bytes);
        if (close) connection->close();
        const auto result = pending.get();
        return result ? Fault::None : fault_of(result.error());
    }

    Loops loops_;
    std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, ExchangesWholeMessagesOverOneConnection) {
    TestServer server(echo);
    for (const std::size_t size : {0u, 10u, 100'000u, 5'000'000u}) {
        const std::string body(size, 'x');
        auto response = test::run(loops_.at(0), fetch(*client_, server.url(), "POST", {}, body, {}, 64 << 20));
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->status, 200);
        EXPECT_EQ(response->body, body);
    }
    EXPECT_EQ(server.metric("stoker_http_connections", "test"), 1);
}

TEST_F(ClientTest, SendsWhatItWasGiven) {
    ScriptedUpstream upstream;
    auto pending = begin(upstream.url("/p?q=1"), {}, "POST");
    auto connection = upstream.accept();
    const auto request = connection->receive_until("\r\n\r\n");
    EXPECT_EQ(request.substr(0, request.find("\r\n")), "POST /p?q=1 HTTP/1.1");
    EXPECT_NE(request.find("\r\nHost: 127.0.0.1:"), std::string::npos);
    EXPECT_NE(request.find("\r\nContent-Length: 0\r\n"), std::string::npos);
    connection->send("HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(pending.get()->status, 204);
}

TEST_F(ClientTest, OnlyTheProxyItselfIsToldItsCredentials) {
    ScriptedUpstream upstream;
    const auto asked = [&](const std::string& proxy_port, const std::string& target) {
        ClientOptions options;
        options.proxy.host = "127.0.0.1";
        options.proxy.port = proxy_port;
        options.proxy.credentials = "amy:pass";
        remake(std::move(options));
        auto pending = begin(upstream.url(target));
        auto connection = upstream.accept();
        const auto request = connection->receive_until("\r\n\r\n");
        connection->send("HTTP/1.1 204 No Content\r\n\r\n");
        EXPECT_EQ(pending.get()->status, 204);
        return request.find("\r\nProxy-Authorization: Basic YW15OnBhc3M=\r\n") != std::string::npos;
    };
    const std::string port = upstream.url().port;
    EXPECT_TRUE(asked(port, "http://target.example/metrics"));
    EXPECT_FALSE(asked(port, "/metrics"));
    EXPECT_FALSE(asked("1", "http://target.example/metrics"));
}

TEST_F(ClientTest, ReadsEveryKindOfBody) {
    struct Row {
        const char* bytes;
        const char* body;
    };
    const Row rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\nT: 1\r\n\r\n", "abc"},
        {"HTTP/1.1 200 OK\r\n\r\nabc", "abc"},
        {"HTTP/1.0 200 OK\r\n\r\nabc", "abc"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
         "3\r\n\r\nabc",
         "abc"},
        {"HTTP/1.1 204 No Content\r\n\r\n", ""},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", ""},
    };
    for (const Row& row : rows) {
        ScriptedUpstream upstream;
        auto pending = begin(upstream.url());
        auto connection = upstream.accept();
        connection->receive_until("\r\n\r\n");
        for (const char* c = row.bytes; *c != 0; ++c) connection->send({c, 1});
        connection->close();
        const auto response = pending.get();
        ASSERT_TRUE(response) << row.bytes << response.error().message;
        EXPECT_EQ(response->body, row.body) << row.bytes;
    }
}

TEST_F(ClientTest, HeadResponsesHaveNoBody) {
    ScriptedUpstream upstream;
    auto pending = begin(upstream.url(), {}, "HEAD");
    auto connection = upstream.accept();
    connection->receive_until("\r\n\r\n");
    connection->send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    const auto response = pending.get();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "");
    EXPECT_EQ(response->headers.get("content-length"), "1000");
}

TEST_F(ClientTest, ClassifiesFaults) {
    EXPECT_EQ(fault_after(""), Fault::ResetBeforeHead);
    EXPECT_EQ(fault_after("HTTP/1.1 200"), Fault::ResetBeforeHead);
    EXPECT_EQ(fault_after("", false), Fault::HeadTimeout);
    EXPECT_EQ(fault_after("HTTP/1.1 200", false), Fault::HeadTimeout);
    EXPECT_EQ(fault_after("SSH-2.0-OpenSSH\r\n\r\n"), Fault::MalformedHead);
    EXPECT_EQ(fault_after("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
              Fault::MalformedHead);
    EXPECT_EQ(fault_after("HTTP/1.1 101 Switching Protocols\r\n\r\n"), Fault::MalformedHead);
    EXPECT_EQ(fault_after("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x')), Fault::MalformedHead);
    EXPECT_EQ(fault_after("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"), Fault::BodyCut);
    EXPECT_EQ(fault_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), Fault::BodyCut);
    EXPECT_EQ(fault_after("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false), Fault::BodyTimeout);
    EXPECT_EQ(fault_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n"), Fault::MalformedBody);
    EXPECT_EQ(fault_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabcdef"), Fault::MalformedBody);
}

TEST_F(ClientTest, ClassifiesConnectFaults) {
    ScriptedUpstream upstream;
    const Url url = upstream.url();
    upstream.close();
    const auto refused = get(url);
    ASSERT_FALSE(refused);
    EXPECT_EQ(fault_of(refused.error()), Fault::ConnectRefused) << refused.error().message;
    EXPECT_EQ(refused.error().code, Errc::Unavailable);

    const auto unknown = get({.tls = false, .host = "no-such-host.invalid", .port = "80", .path = "/"});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(fault_of(unknown.error()), Fault::Resolve) << unknown.error().message;
}

TEST_F(ClientTest, ConnectTimesOut) {
    // Connections that nobody accepts fill the backlog; from then on SYNs are dropped.
    ScriptedUpstream upstream;
    Result<Response> result;
    for (int i = 0; i < 40; ++i) {
        result = get(upstream.url(), {.connect = Duration{200}, .head = Duration{30}});
        ASSERT_FALSE(result);
        if (fault_of(result.error()) == Fault::ConnectTimeout) break;
        EXPECT_EQ(fault_of(result.error()), Fault::HeadTimeout);
    }
    EXPECT_EQ(fault_of(result.error()), Fault::ConnectTimeout);
    EXPECT_EQ(result.error().code, Errc::DeadlineExceeded);
}

TEST_F(ClientTest, ResolvesNames) {
    TestServer server(echo);
    Url url = server.url();
    url.host = "localhost";
    const auto response = get(url);
    ASSERT_TRUE(response) << response.error().message;
}

TEST_F(ClientTest, ReplacesAPooledConnectionThatThePeerClosed) {
    ScriptedUpstream upstream;
    auto first = begin(upstream.url());
    auto connection = upstream.accept();
    connection->receive_until("\r\n\r\n");
    connection->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(first.get());
    connection->close();
    auto second = begin(upstream.url());
    connection = upstream.accept();
    connection->receive_until("\r\n\r\n");
    connection->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(second.get());
}

TEST_F(ClientTest, ResendsOnceWhenAReusedConnectionFailsBeforeAnyByte) {
    ScriptedUpstream upstream;
    auto first = begin(upstream.url());
    auto connection = upstream.accept();
    connection->receive_until("\r\n\r\n");
    connection->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(first.get());
    // The request arrives on the kept connection, which dies under it; the second try dies too.
    auto second = begin(upstream.url());
    connection->receive_until("\r\n\r\n");
    connection->reset();
    connection = upstream.accept();
    connection->receive_until("\r\n\r\n");
    connection->reset();
    const auto result = second.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(fault_of(result.error()), Fault::ResetBeforeHead);
}

TEST_F(ClientTest, KeepsNoConnectionThatMayNotBeUsedAgain) {
    for (const auto* bytes :
         {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
          "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nunasked"}) {
        ScriptedUpstream upstream;
        for (int i = 0; i < 2; ++i) {
            auto pending = begin(upstream.url());
            auto connection = upstream.accept();
            connection->receive_until("\r\n\r\n");
            connection->send(bytes);
            EXPECT_TRUE(pending.get()) << bytes;
            EXPECT_TRUE(connection->at_end()) << bytes;
        }
    }
}

TEST_F(ClientTest, ClosesIdleConnectionsInTime) {
    ClientOptions options;
    options.idle_timeout = Duration{50};
    remake(options);
    TestServer server(echo);
    EXPECT_TRUE(get(server.url()));
    EXPECT_EQ(server.metric("stoker_http_connections", "test"), 1);
    EXPECT_TRUE(eventually([&] { return server.metric("stoker_http_connections", "test") == 0; }));
    EXPECT_TRUE(get(server.url()));
}

TEST_F(ClientTest, KeepsAtMostTheIdleConnectionsAllowed) {
    ClientOptions options;
    options.idle_per_origin = 2;
    remake(options);
    TestServer server(echo);
    std::vector<std::future<Result<Response>>> pending;
    for (int i = 0; i < 8; ++i) pending.push_back(begin(server.url()));
    for (auto& one : pending) EXPECT_TRUE(one.get());
    EXPECT_TRUE(eventually([&] { return server.metric("stoker_http_connections", "test") == 2; }));
}

TEST_F(ClientTest, RefusesBodiesPastTheCallersLimit) {
    TestServer server(echo);
    const std::string body(100'000, 'x');
    auto response = test::run(loops_.at(0), fetch(*client_, server.url(), "POST", {}, body, {}, 1000));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::ResourceExhausted);
    EXPECT_TRUE(eventually([&] { return server.metric("stoker_http_connections", "test") == 0; }));
}

TEST_F(ClientTest, AnEarlyRefusalReachesTheCaller) {
    ScriptedUpstream upstream;
    const std::string body(20'000'000, 'x');
    auto pending =
        asio::co_spawn(loops_.at(0), fetch(*client_, upstream.url(), "POST", {}, body, {}, 1000), asio::use_future);
    auto connection = upstream.accept();
    connection->send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    connection->shutdown_send();
    connection->receive_until("\r\n\r\n");
    connection->close();
    const auto result = pending.get();
    // The kernel may have thrown the answer away with the reset; then the fault must say that writing failed.
    if (result) {
        EXPECT_EQ(result->status, 413);
    } else {
        EXPECT_EQ(fault_of(result.error()), Fault::WriteFailed) << result.error().message;
    }
}

// The pieces of a body as they come.
asio::awaitable<Result<std::vector<std::string>>> pieces_of(Client& client, Url url, std::atomic<int>& seen) {
    ClientRequest request;
    CO_TRY(auto call, co_await client.send(url, std::move(request), Deadlines{}));
    std::vector<std::string> pieces;
    while (true) {
        CO_TRY(const auto piece, co_await call->read_some());
        if (piece.empty()) break;
        pieces.emplace_back(piece);
        ++seen;
    }
    co_return pieces;
}

TEST_F(ClientTest, HandsPiecesOnAsTheyCome) {
    ScriptedUpstream upstream;
    std::atomic<int> seen = 0;
    auto pending = asio::co_spawn(loops_.at(0), pieces_of(*client_, upstream.url(), seen), asio::use_future);
    auto connection = upstream.accept();
    connection->receive_until("\r\n\r\n");
    connection->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::vector<std::string> expected = {"data: 1\n\n", "data: 2\n\n", "data: 3\n\n"};
    for (int i = 0; i < 3; ++i) {
        connection->send("9\r\n" + expected[static_cast<std::size_t>(i)] + "\r\n");
        EXPECT_TRUE(eventually([&] { return seen == i + 1; }));
    }
    connection->send("0\r\n\r\n");
    const auto pieces = pending.get();
    ASSERT_TRUE(pieces);
    EXPECT_EQ(*pieces, expected);
}

// Sends, then cancels the call from the same loop while it reads.
asio::awaitable<Result<std::string_view>> cancel_while_reading(Client& client, Url url) {
    ClientRequest request;
    CO_TRY(auto call, co_await client.send(url, std::move(request), Deadlines{}));
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(20));
    auto cancel = [&call](const boost::system::error_code&) { call->cancel(); };
    timer.async_wait(cancel);
    co_return co_await call->read_some();
}

TEST_F(ClientTest, CancellingACallEndsItsRead) {
    ScriptedUpstream upstream;
    auto pending = asio::co_spawn(loops_.at(0), cancel_while_reading(*client_, upstream.url()), asio::use_future);
    auto connection = upstream.accept();
    connection->receive_until("\r\n\r\n");
    connection->send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    const auto result = pending.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(fault_of(result.error()), Fault::Cancelled);
    EXPECT_EQ(result.error().code, Errc::Cancelled);
    EXPECT_TRUE(connection->at_end());
}

asio::awaitable<Result<std::unique_ptr<Call>>> send_with(Client& client, Url url, std::shared_ptr<CancelToken> token) {
    ClientRequest request;
    co_return co_await client.send(url, std::move(request), Deadlines{}, token.get());
}

TEST_F(ClientTest, ATokenCancelsASendThatWaitsForItsHead) {
    ScriptedUpstream upstream;
    auto token = std::make_shared<CancelToken>();
    auto pending = asio::co_spawn(loops_.at(0), send_with(*client_, upstream.url(), token), asio::use_future);
    auto connection = upstream.accept();
    connection->receive_until("\r\n\r\n");
    asio::post(loops_.at(0), [token] { token->cancel(); });
    const auto result = pending.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(fault_of(result.error()), Fault::Cancelled);
    EXPECT_TRUE(connection->at_end());

    auto at_once = test::run(loops_.at(0), send_with(*client_, upstream.url(), token));
    ASSERT_FALSE(at_once);
    EXPECT_EQ(fault_of(at_once.error()), Fault::Cancelled);
}

asio::awaitable<Result<std::string>> read_within(Client& client, Url url, Duration limit) {
    ClientRequest request;
    CO_TRY(auto call, co_await client.send(url, std::move(request), Deadlines{}));
    co_return co_await with_deadline(call->read_all(1000), limit);
}

TEST_F(ClientTest, WorksUnderWithDeadline) {
    ScriptedUpstream upstream;
    auto pending = asio::co_spawn(loops_.at(0), read_within(*client_, upstream.url(), Duration{50}), asio::use_future);
    auto connection = upstream.accept();
    connection->receive_until("\r\n\r\n");
    connection->send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    const auto result = pending.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::DeadlineExceeded);
    EXPECT_TRUE(connection->at_end());
}

TEST(Fault, Names) {
    EXPECT_EQ(to_string(Fault::None), "none");
    EXPECT_EQ(to_string(Fault::ConnectRefused), "connect_refused");
    EXPECT_EQ(to_string(Fault::Cancelled), "cancelled");
}

}  // namespace
}  // namespace stoker::net
