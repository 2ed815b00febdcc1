// A TCP connection, with TLS or without: the one place that knows which.
//
// Plain writes are tried at once and wait only for what the socket did not take: that is nearly every write, and spares
// it the trip through the loop. Lives on one loop; one read and one write may be under way at a time.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <tuple>

#include "base/result.h"

namespace boost::asio::ssl {
class context;
}

namespace stoker::net::internal {

using Socket = boost::asio::ip::tcp::socket;
using boost::system::error_code;

// Up to eight buffers that are written with one system call.
class Gather {
public:
    void add(std::string_view bytes) {
        if (!bytes.empty()) parts_[count_++] = boost::asio::buffer(bytes.data(), bytes.size());
    }
    void consume(std::size_t bytes);
    bool empty() const { return first_ == count_; }

    using value_type = boost::asio::const_buffer;
    const value_type* begin() const { return parts_.data() + first_; }
    const value_type* end() const { return parts_.data() + count_; }

private:
    std::array<boost::asio::const_buffer, 8> parts_{};
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

class Transport {
public:
    // Told when a read begun by watch() has ended.
    class ReadSink {
    public:
        virtual void on_read(error_code ec, std::size_t count) = 0;

    protected:
        ~ReadSink() = default;
    };

    explicit Transport(Socket socket);
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    // The socket is connected: no Nagle, no blocking.
    void connected();
    Socket& socket() { return socket_; }
    bool is_tls() const { return tls_ != nullptr; }

    boost::asio::awaitable<error_code> accept_tls(boost::asio::ssl::context& context);
    // `host` is asked for (SNI) and, if `verify`, must stand in the certificate.
    boost::asio::awaitable<error_code> connect_tls(boost::asio::ssl::context& context, std::string host, bool verify);

    boost::asio::awaitable<std::tuple<error_code, std::size_t>> read_some(boost::asio::mutable_buffer space);
    // The same with a call back, for a read that nobody waits for.
    void watch(boost::asio::mutable_buffer space, std::shared_ptr<ReadSink> sink);

    // Writes what goes at once and takes it out of `gather`. would_block is no error.
    error_code try_write(Gather& gather);
    // Writes the rest.
    boost::asio::awaitable<error_code> write(Gather gather);

    // Ends our side; TLS first says so.
    boost::asio::awaitable<void> shutdown_send();

    // Reads and writes under way end with operation_aborted.
    void cancel();
    void close();
    // Lets close() reset the connection, so that the peer cannot take it for a clean end.
    void reset_on_close();
    bool is_open() const { return socket_.is_open(); }
    // True if the peer has closed, or has sent something unasked: not usable for another request.
    bool stale();

private:
    struct Tls;

    Socket socket_;
    std::unique_ptr<Tls> tls_;
};

}  // namespace stoker::net::internal
