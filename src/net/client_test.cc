#include "net/client.h"

#include <thread>

#include "net/loopback_test.h"

namespace stoker::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::TestServer;

Response answer(Result<std::string> body) {
    return {200, {}, body ? *std::move(body) : body.error().message};
}

asio::awaitable<void> echo(Exchange& exchange) {
    auto body = co_await exchange.read_body(64 << 20);
    (void)co_await exchange.respond(answer(std::move(body)));
}

TEST(Client, ExchangesWholeMessages) {
    TestServer server(echo);
    Loops loops(1);
    loops.start();
    auto client = Client::create(loops.at(0));
    for (const std::size_t size : {0u, 10u, 100'000u, 5'000'000u}) {
        const std::string body(size, 'x');
        auto response = test::run(loops.at(0), fetch(*client, server.url(), "POST", {}, body, {}, 64 << 20));
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->status, 200);
        EXPECT_EQ(response->body, body);
    }
    EXPECT_EQ(server.metric("stoker_http_connections", "test"), 1);
    loops.stop();
}

}  // namespace
}  // namespace stoker::net
