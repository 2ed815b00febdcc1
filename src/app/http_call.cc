#include "app/http_call.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "net/client.h"

namespace stoker::app {

namespace asio = boost::asio;

Result<net::Response> call(const std::string& server, const std::string& method, const std::string& target,
                           const std::string& body) {
    auto url = net::parse_url(server + target);
    if (!url) return std::move(url).error().context("--server " + server);
    asio::io_context loop;
    auto client = net::Client::create(loop);
    net::Headers headers;
    if (!body.empty()) headers.add("Content-Type", "application/json");
    Result<net::Response> answer;
    auto work = net::fetch(*client, *url, method, std::move(headers), body, net::Deadlines{}, 256u * 1024 * 1024);
    auto done = [&](const std::exception_ptr& bug, Result<net::Response> result) {
        if (!bug) answer = std::move(result);
        client.reset();
        loop.stop();
    };
    asio::co_spawn(loop, std::move(work), done);
    loop.run();
    if (!answer && answer.error().code != Errc::Internal) {
        return Error{answer.error().code, "no answer from " + server + ": " + answer.error().message +
                                              " (is Stoker running there? its addresses are in DATA_DIR/run.json)"};
    }
    return answer;
}

}  // namespace stoker::app
