#include "collect/discovery/unix_http.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/text.h"
#include "net/async.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMostAnswer = std::size_t{64} << 20;

asio::awaitable<Result<std::string>> exchange(asio::io_context& loop, std::string path, std::string target) {
    asio::local::stream_protocol::socket socket(loop);
    const asio::local::stream_protocol::endpoint to(path);
    auto [connect_error] = co_await socket.async_connect(to, kTuple);
    if (connect_error) co_return Error{Errc::Unavailable, path + ": " + connect_error.message()};
    const std::string request = "GET " + target + " HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n";
    const auto out = asio::buffer(request);
    auto [write_error, written] = co_await asio::async_write(socket, out, kTuple);
    if (write_error) co_return Error{Errc::Unavailable, path + ": " + write_error.message()};
    std::string answer;
    std::array<char, 16384> piece{};
    while (true) {
        const auto in = asio::buffer(piece);
        auto [error, size] = co_await socket.async_read_some(in, kTuple);
        answer.append(piece.data(), size);
        if (error) break;  // Its end; a cut one is found when it is read.
        if (answer.size() > kMostAnswer) co_return Error{Errc::ResourceExhausted, path + ": more than 64 MiB"};
    }
    co_return answer;
}

}  // namespace

Result<std::string> unix_answer(std::string_view answer) {
    const auto head_end = answer.find("\r\n\r\n");
    const std::string_view line = answer.substr(0, answer.find("\r\n"));
    if (head_end == std::string_view::npos || !line.starts_with("HTTP/1.") || line.size() < 12) {
        return Error{Errc::Corruption, "the answer is not HTTP"};
    }
    const auto status = parse_integer(line.substr(9, 3));
    const std::string_view body = answer.substr(head_end + 4);
    if (status != 200) {
        return Error{Errc::Unavailable,
                     "HTTP status " + std::string(line.substr(9, 3)) + ": " + std::string(trim(body.substr(0, 200)))};
    }
    return std::string(body);
}

asio::awaitable<Result<std::string>> unix_get(asio::io_context& loop, std::string socket_path, std::string target,
                                              Duration limit) {
    CO_TRY(const std::string answer,
           co_await net::with_deadline<std::string>(exchange(loop, std::move(socket_path), std::move(target)), limit));
    co_return unix_answer(answer);
}

}  // namespace stoker::collect
