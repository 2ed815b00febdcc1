#include "agent/http_post.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>

namespace stoker::agent {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxAnswer = std::size_t{64} << 10;

asio::awaitable<Result<net::Response>> exchange(asio::io_context& loop, HttpPost post) {
    CO_TRY(auto url, net::parse_url(post.url));
    net::ClientOptions options;
    options.tls = post.tls;
    const auto client = net::Client::create(loop, options);
    const net::Deadlines deadlines{post.timeout, post.timeout, post.timeout};
    co_return co_await net::fetch(*client, std::move(url), "POST", std::move(post.headers), std::move(post.body),
                                  deadlines, kMaxAnswer);
}

}  // namespace

Result<net::Response> post_and_wait(HttpPost post) {
    // The loop goes first, with what of the exchange is left on it.
    std::optional<Result<net::Response>> answer;
    const std::string url = post.url;
    const Duration timeout = post.timeout;
    asio::io_context loop{1};
    asio::co_spawn(loop, exchange(loop, std::move(post)),
                   [&answer](std::exception_ptr failure, Result<net::Response> result) {
                       if (!failure) answer = std::move(result);
                   });
    loop.run_for(timeout);
    if (!answer) return Error{Errc::DeadlineExceeded, url + ": no answer within " + format_duration(timeout)};
    return std::move(*answer);
}

}  // namespace stoker::agent
