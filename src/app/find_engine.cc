#include "app/find_engine.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>

#include "collect/engine/prober.h"
#include "net/client.h"

namespace stoker::app {
namespace {

namespace asio = boost::asio;

constexpr Duration kAnswer{500};

asio::awaitable<void> look(net::Client& client, std::uint16_t port, collect::Abandon& abandon, bool& found) {
    net::Url url;
    url.host = "127.0.0.1";
    url.port = std::to_string(port);
    url.path = "/";
    auto identity = co_await collect::probe(client, url, "", kAnswer, collect::Adapters::built_in(), abandon);
    if (identity && !identity->kind.empty()) found = true;
}

}  // namespace

bool engine_on_this_machine() {
    asio::io_context loop;
    auto client = net::Client::create(loop);
    std::deque<collect::Abandon> abandons;  // Never used: the time ends them.
    bool found = false;
    for (const std::uint16_t port : collect::Adapters::built_in()->ports()) {
        asio::co_spawn(loop, look(*client, port, abandons.emplace_back(), found), asio::detached);
    }
    loop.run_for(Duration{3'000});
    return found;
}

}  // namespace stoker::app
