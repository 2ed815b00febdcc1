// One connection of the client to an origin, with what it takes to read responses from it. Lives on one loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "net/buffer.h"
#include "net/client.h"
#include "net/deadline.h"
#include "net/parser.h"
#include "net/transport.h"

namespace stoker::net::internal {

Error fault(Fault what, std::string message);

struct Resolution;

class ClientConnection final : public Deadline::Target {
public:
    ClientConnection(boost::asio::io_context& loop, std::shared_ptr<const ClientOptions> options);

    // Resolves, connects (through the proxy, where one is for it) and, with `tls`, shakes hands, all within `limit`.
    boost::asio::awaitable<Result<Unit>> connect(Url origin, boost::asio::ssl::context* tls, Duration limit);

    // Sends a request and reads the response's head, 1xx skipped.
    boost::asio::awaitable<Result<Unit>> exchange(std::string_view head, const ClientRequest& request,
                                                  ResponseHead& response, Duration limit);

    // The next piece of the body; empty at its end.
    boost::asio::awaitable<Result<std::string_view>> read_some(Duration between);

    // Whatever waits on this connection ends with Fault::Cancelled.
    void cancel();

    // Fit for another request: the response was read to its end and both sides keep the connection.
    bool reusable() const;
    // Closed meanwhile by the peer.
    bool stale() { return !buffer_.empty() || transport_.stale(); }
    // No byte of a response has come since exchange() began.
    bool silent() const { return !heard_; }

    // Waits for its next use; closed after `limit`.
    void park(Duration limit);
    bool is_open() const { return transport_.is_open(); }

    std::optional<std::uint64_t> content_length() const { return parser_.content_length(); }

private:
    // Has the proxy connect to `origin`; afterwards the bytes are those of the origin.
    boost::asio::awaitable<Result<Unit>> tunnel(const Url& origin);
    boost::asio::awaitable<Result<error_code>> send_rest(BodySource& source, Duration limit);
    boost::asio::awaitable<Result<Unit>> read_head(ResponseHead& response, bool is_head_request);
    Error broken(Fault usual, Fault on_timeout, std::string_view doing, error_code ec);
    boost::asio::awaitable<Result<std::vector<boost::asio::ip::tcp::endpoint>>> resolve(const Url& origin);
    void interrupt();
    void on_deadline() override;

    boost::asio::io_context& loop_;
    const std::shared_ptr<const ClientOptions> options_;
    Transport transport_;
    Deadline deadline_;
    std::weak_ptr<Resolution> resolution_;  // While connect() resolves.
    Buffer buffer_;
    ResponseParser parser_;
    std::string origin_;    // For messages.
    std::size_t held_ = 0;  // Bytes of the buffer that the last piece still shows.
    bool expired_ = false;
    bool cancelled_ = false;
    bool parked_ = false;
    bool heard_ = false;
    bool complete_ = false;            // The last response was read to its end.
    bool closed_ = false;              // By the peer, in good order.
    std::size_t capacity_ = 4 * 1024;  // Of the next read of a body.
};

}  // namespace stoker::net::internal
