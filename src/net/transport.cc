#include "net/transport.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace stoker::net::internal {
namespace asio = boost::asio;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

void Gather::consume(std::size_t bytes) {
    while (first_ < count_ && bytes >= parts_[first_].size()) bytes -= parts_[first_++].size();
    if (first_ < count_) parts_[first_] += bytes;
}

struct Transport::Tls {
    Tls(Socket& socket, asio::ssl::context& context) : stream(socket, context) {}
    asio::ssl::stream<Socket&> stream;
};

Transport::Transport(Socket socket) : socket_(std::move(socket)) {}

Transport::~Transport() = default;

void Transport::connected() {
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
}

asio::awaitable<error_code> Transport::accept_tls(asio::ssl::context& context) {
    tls_ = std::make_unique<Tls>(socket_, context);
    auto [ec] = co_await tls_->stream.async_handshake(asio::ssl::stream_base::server, kTuple);
    co_return ec;
}

asio::awaitable<error_code> Transport::connect_tls(asio::ssl::context& context, std::string host, bool verify) {
    tls_ = std::make_unique<Tls>(socket_, context);
    error_code ec;
    asio::ip::make_address(host, ec);
    const bool is_name = static_cast<bool>(ec);
    if (is_name) SSL_set_tlsext_host_name(tls_->stream.native_handle(), host.c_str());
    if (verify) {
        tls_->stream.set_verify_mode(asio::ssl::verify_peer, ec);
        tls_->stream.set_verify_callback(asio::ssl::host_name_verification(host), ec);
    }
    auto [failed] = co_await tls_->stream.async_handshake(asio::ssl::stream_base::client, kTuple);
    co_return failed;
}

asio::awaitable<std::tuple<error_code, std::size_t>> Transport::read_some(asio::mutable_buffer space) {
    if (tls_) return tls_->stream.async_read_some(space, kTuple);
    return socket_.async_read_some(space, kTuple);
}

void Transport::watch(asio::mutable_buffer space, std::shared_ptr<ReadSink> sink) {
    auto done = [sink = std::move(sink)](const error_code& ec, std::size_t count) { sink->on_read(ec, count); };
    if (tls_) {
        tls_->stream.async_read_some(space, std::move(done));
    } else {
        socket_.async_read_some(space, std::move(done));
    }
}

error_code Transport::try_write(Gather& gather) {
    if (tls_) return {};
    error_code ec;
    gather.consume(socket_.write_some(gather, ec));
    return ec == asio::error::would_block ? error_code{} : ec;
}

asio::awaitable<error_code> Transport::write(Gather gather) {
    if (tls_) {
        auto [ec, count] = co_await asio::async_write(tls_->stream, gather, kTuple);
        co_return ec;
    }
    auto [ec, count] = co_await asio::async_write(socket_, gather, kTuple);
    co_return ec;
}

asio::awaitable<void> Transport::shutdown_send() {
    error_code ignored;
    if (tls_) co_await tls_->stream.async_shutdown(kTuple);
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::cancel() {
    error_code ignored;
    socket_.cancel(ignored);
}

void Transport::close() {
    error_code ignored;
    socket_.close(ignored);
}

void Transport::reset_on_close() {
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
}

bool Transport::stale() {
    char byte;
    const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return !(got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

}  // namespace stoker::net::internal
