#include "app/http_call.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "net/async.h"
#include "net/client.h"

namespace stoker::app {

namespace asio = boost::asio;

namespace {

constexpr Duration kLook{100};  // How long a call goes on after it was abandoned, at most.

}  // namespace

Result<net::Response> call_url(const std::string& url, const CallOptions& options) {
    TRY(auto parsed, net::parse_url(url));
    asio::io_context loop;
    net::ClientOptions client_options;
    client_options.tls.ca_file = options.ca_file;
    client_options.proxy = options.proxy;
    auto client = net::Client::create(loop, client_options);
    net::Headers headers = options.headers;
    if (!options.body.empty()) headers.set("Content-Type", options.content_type);
    net::Deadlines deadlines{std::min(options.limit, net::Deadlines{}.connect), options.limit, options.limit};
    Result<net::Response> answer;
    bool ended = false;
    asio::cancellation_signal cancel;
    auto work = net::with_deadline(
        net::fetch(*client, parsed, options.method, std::move(headers), options.body, deadlines, options.max_answer),
        options.limit);
    auto done = [&](const std::exception_ptr& bug, Result<net::Response> result) {
        if (!bug) answer = std::move(result);
        ended = true;
        loop.stop();
    };
    asio::co_spawn(loop, std::move(work), asio::bind_cancellation_slot(cancel.slot(), done));
    bool abandoned = false;
    while (!ended) {
        loop.run_for(kLook);
        if (ended || abandoned || options.abandoned == nullptr || !*options.abandoned) continue;
        abandoned = true;
        cancel.emit(asio::cancellation_type::terminal);
    }
    if (abandoned) return Error{Errc::Cancelled, "given up: Stoker stops"};
    return answer;
}

Result<net::Response> call(const std::string& server, const std::string& method, const std::string& target,
                           const std::string& body) {
    CallOptions options;
    options.method = method;
    options.body = body;
    auto answer = call_url(server + target, options);
    if (answer) return answer;
    if (answer.error().code == Errc::InvalidArgument) return std::move(answer).error().context("--server " + server);
    return Error{answer.error().code, "no answer from " + server + ": " + answer.error().message +
                                          " (is Stoker running there? its addresses are in DATA_DIR/run.json)"};
}

}  // namespace stoker::app
