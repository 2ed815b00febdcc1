#include "collect/discovery/dns_lookup.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <random>

#include "base/text.h"
#include "net/async.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

Error unreachable(const std::string& server, const boost::system::error_code& ec) {
    return {Errc::Unavailable, "the DNS server " + server + " can't be asked: " + ec.message()};
}

struct Place {
    asio::ip::address address;
    std::uint16_t port = 53;
};

Result<Place> place_of(const std::string& server) {
    const auto mark = server.find('#');
    boost::system::error_code ec;
    Place place;
    place.address = asio::ip::make_address(server.substr(0, mark), ec);
    if (ec) return Error{Errc::InvalidArgument, "the DNS server '" + server + "' is not an address"};
    if (mark == std::string::npos) return place;
    const auto port = parse_integer(server.substr(mark + 1));
    if (!port || *port < 1 || *port > 65535) {
        return Error{Errc::InvalidArgument, "the DNS server '" + server + "' has no port behind its '#'"};
    }
    place.port = static_cast<std::uint16_t>(*port);
    return place;
}

asio::awaitable<Result<std::string>> by_udp(asio::io_context& loop, Place place, std::string server,
                                            std::string question) {
    asio::ip::udp::socket socket(loop);
    const asio::ip::udp::endpoint to(place.address, place.port);
    boost::system::error_code ec;
    socket.open(to.protocol(), ec);
    // Connected, so that only this server's answers are taken, and its refusal is seen.
    if (!ec) socket.connect(to, ec);
    if (ec) co_return unreachable(server, ec);
    const auto out = asio::buffer(question);
    auto [send_error, sent] = co_await socket.async_send(out, kTuple);
    if (send_error) co_return unreachable(server, send_error);
    std::array<char, 4096> answer{};
    while (true) {
        const auto in = asio::buffer(answer);
        auto [error, size] = co_await socket.async_receive(in, kTuple);
        if (error) co_return unreachable(server, error);
        // A late answer to an earlier question, or a guess at ours: the right one may still come.
        if (size < 2 || answer[0] != question[0] || answer[1] != question[1]) continue;
        co_return std::string(answer.data(), size);
    }
}

asio::awaitable<Result<std::string>> by_tcp(asio::io_context& loop, Place place, std::string server,
                                            std::string question) {
    asio::ip::tcp::socket socket(loop);
    const asio::ip::tcp::endpoint to(place.address, place.port);
    auto [connect_error] = co_await socket.async_connect(to, kTuple);
    if (connect_error) co_return unreachable(server, connect_error);
    std::string framed;
    framed += static_cast<char>(question.size() >> 8);
    framed += static_cast<char>(question.size() & 0xFF);
    framed += question;
    const auto out = asio::buffer(framed);
    auto [write_error, written] = co_await asio::async_write(socket, out, kTuple);
    if (write_error) co_return unreachable(server, write_error);
    std::array<unsigned char, 2> length{};
    const auto length_buffer = asio::buffer(length);
    auto [length_error, length_read] = co_await asio::async_read(socket, length_buffer, kTuple);
    if (length_error) co_return unreachable(server, length_error);
    std::string answer(static_cast<std::size_t>(length[0] << 8 | length[1]), '\0');
    const auto in = asio::buffer(answer);
    auto [read_error, read] = co_await asio::async_read(socket, in, kTuple);
    if (read_error) co_return unreachable(server, read_error);
    co_return answer;
}

asio::awaitable<Result<DnsAnswer>> ask(asio::io_context& loop, std::string server, Duration limit, std::string name,
                                       DnsType type) {
    CO_TRY(const Place place, place_of(server));
    thread_local std::mt19937 random{std::random_device{}()};
    const auto id = static_cast<std::uint16_t>(random());
    CO_TRY(const std::string question, dns_question(id, name, type));
    auto udp = co_await net::with_deadline<std::string>(by_udp(loop, place, server, question), limit);
    if (!udp) co_return std::move(udp).error().context("DNS server " + server);
    auto answer = parse_dns_answer(*udp, id, type);
    if (!answer || !answer->truncated) co_return answer;
    auto tcp = co_await net::with_deadline<std::string>(by_tcp(loop, place, server, question), limit);
    if (!tcp) co_return std::move(tcp).error().context("DNS server " + server + " over TCP");
    co_return parse_dns_answer(*tcp, id, type);
}

}  // namespace

asio::awaitable<Result<DnsAnswer>> dns_lookup(asio::io_context& loop, DnsServers servers, std::string name,
                                              DnsType type) {
    Result<DnsAnswer> last = DnsAnswer{};
    bool none = false;  // A server said that a name is not there.
    for (const std::string& full : servers.conf.names(name)) {
        for (const std::string& server : servers.conf.servers) {
            last = co_await ask(loop, server, servers.each, full, type);
            if (!last) continue;
            if (!last->records.empty()) co_return last;
            none = true;
            break;
        }
    }
    if (none && !last) last = DnsAnswer{};
    co_return last;
}

}  // namespace stoker::collect
