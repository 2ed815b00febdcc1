#include "net/client_connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "net/wakeup.h"

namespace stoker::net::internal {
namespace asio = boost::asio;

namespace {

using asio::ip::tcp;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kStreamBuffer = 1024;
constexpr std::size_t kSmallBuffer = 4 * 1024;
constexpr std::size_t kLargeBuffer = 64 * 1024;

Errc code_of(Fault what) {
    switch (what) {
        case Fault::ConnectTimeout:
        case Fault::HeadTimeout:
        case Fault::BodyTimeout:
            return Errc::DeadlineExceeded;
        case Fault::Cancelled:
            return Errc::Cancelled;
        case Fault::MalformedHead:
        case Fault::MalformedBody:
            return Errc::Corruption;
        default:
            return Errc::Unavailable;
    }
}

// An address given as a number needs no resolver, which would take a thread and a turn through it.
std::optional<tcp::endpoint> literal_endpoint(const Url& origin) {
    error_code ec;
    const auto address = asio::ip::make_address(origin.host, ec);
    if (ec) return std::nullopt;
    std::uint16_t port = 0;
    std::from_chars(origin.port.data(), origin.port.data() + origin.port.size(), port);
    return tcp::endpoint(address, port);
}

}  // namespace

Error fault(Fault what, std::string message) {
    return {code_of(what), std::move(message), static_cast<std::uint16_t>(what)};
}

ClientConnection::ClientConnection(asio::io_context& loop, std::shared_ptr<const ClientOptions> options)
    : loop_(loop),
      options_(std::move(options)),
      transport_(Socket(loop)),
      deadline_(loop, *this),
      parser_(options_->max_header_bytes) {}

// A name being looked up. The system's resolver cannot be stopped, so who waits may leave, and the answer finds nobody.
struct Resolution {
    explicit Resolution(asio::io_context& loop) : resolver(loop) {}

    tcp::resolver resolver;
    error_code ec;
    std::vector<tcp::endpoint> endpoints;
    Wakeup ended;
};

void ClientConnection::on_deadline() {
    expired_ = true;
    interrupt();
    if (parked_) transport_.close();
}

void ClientConnection::cancel() {
    cancelled_ = true;
    interrupt();
    transport_.close();
}

void ClientConnection::interrupt() {
    transport_.cancel();
    // Not in place: who cancels may stand in the middle of something.
    auto leave = [resolution = resolution_.lock()] {
        if (resolution) resolution->ended.notify();
    };
    if (!resolution_.expired()) asio::post(loop_, std::move(leave));
}

Error ClientConnection::broken(Fault usual, Fault on_timeout, std::string_view doing, error_code ec) {
    const bool timeout = std::exchange(expired_, false);
    deadline_.clear();
    transport_.close();
    const std::string where = origin_ + ": " + std::string(doing) + ": ";
    if (cancelled_) return fault(Fault::Cancelled, where + "cancelled");
    if (timeout) return fault(on_timeout, where + "timed out");
    if (ec == asio::error::operation_aborted) return fault(Fault::Cancelled, where + "cancelled");
    return fault(usual, where + (ec ? ec.message() : "malformed"));
}

asio::awaitable<Result<std::vector<tcp::endpoint>>> ClientConnection::resolve(const Url& origin) {
    if (const auto literal = literal_endpoint(origin)) co_return std::vector<tcp::endpoint>(1, *literal);
    auto resolution = std::make_shared<Resolution>(loop_);
    // The operation owns the Resolution and with it this coroutine; we only look at it.
    resolution_ = resolution;
    Resolution& looked_at = *resolution;
    looked_at.ec = asio::error::operation_aborted;
    auto found = [resolution](const error_code& ec, const tcp::resolver::results_type& results) {
        resolution->ec = ec;
        for (const auto& entry : results) resolution->endpoints.push_back(entry.endpoint());
        resolution->ended.notify();
    };
    resolution->resolver.async_resolve(origin.host, origin.port, std::move(found));
    resolution = nullptr;
    co_await looked_at.ended.wait();
    // Still alive here: whoever woke us holds it until we suspend again.
    const error_code ec = looked_at.ec;
    auto endpoints = std::move(looked_at.endpoints);
    resolution_.reset();
    if (ec || expired_ || cancelled_) co_return broken(Fault::Resolve, Fault::ConnectTimeout, "resolve", ec);
    co_return endpoints;
}

asio::awaitable<Result<Unit>> ClientConnection::tunnel(const Url& origin) {
    constexpr std::size_t kMostHead = 8 * 1024;
    const std::string request = connect_request(options_->proxy, origin);
    Gather gather;
    gather.add(request);
    error_code ec = co_await transport_.write(gather);
    if (ec) co_return broken(Fault::Proxy, Fault::ConnectTimeout, "ask the proxy", ec);
    std::string head;
    char space[1024];
    while (!head.ends_with("\r\n\r\n")) {  // What comes after it comes when it was asked for.
        const auto [failed, count] = co_await transport_.read_some(asio::buffer(space));
        if (failed) co_return broken(Fault::Proxy, Fault::ConnectTimeout, "hear the proxy", failed);
        head.append(space, count);
        if (head.size() > kMostHead) co_return broken(Fault::Proxy, Fault::ConnectTimeout, "hear the proxy", {});
    }
    const int status = connect_status(head);
    if (status >= 200 && status < 300) co_return Unit{};
    transport_.close();
    deadline_.clear();
    co_return fault(Fault::Proxy, origin_ + ": the proxy " + options_->proxy.host + ":" + options_->proxy.port +
                                      (status == 0 ? " speaks no HTTP" : " says " + std::to_string(status)));
}

asio::awaitable<Result<Unit>> ClientConnection::connect(Url origin, asio::ssl::context* tls, Duration limit) {
    origin_ = origin.host_header();
    deadline_.set(limit);
    const bool direct = goes_direct(options_->proxy, origin);
    Url next = origin;
    if (!direct) {
        next.host = options_->proxy.host;
        next.port = options_->proxy.port;
    }
    CO_TRY(const auto endpoints, co_await resolve(next));
    error_code ec = asio::error::host_not_found;
    for (const tcp::endpoint& endpoint : endpoints) {
        error_code ignored;
        transport_.socket().close(ignored);
        auto [failed] = co_await transport_.socket().async_connect(endpoint, kTuple);
        ec = failed;
        if (!ec || expired_ || cancelled_) break;
    }
    if (!ec && (expired_ || cancelled_)) ec = asio::error::operation_aborted;
    if (ec == asio::error::timed_out) expired_ = true;  // The kernel's own.
    if (ec) co_return broken(Fault::ConnectRefused, Fault::ConnectTimeout, "connect", ec);
    transport_.connected();
    if (!direct) CO_TRY_UNIT(co_await tunnel(origin));
    if (tls != nullptr) {
        ec = co_await transport_.connect_tls(*tls, origin.host, options_->tls.verify);
        if (ec) co_return broken(Fault::Tls, Fault::ConnectTimeout, "TLS handshake", ec);
    }
    deadline_.clear();
    co_return Unit{};
}

// Passes the rest of a body on as it comes. The error within is the connection's, the other the source's own.
asio::awaitable<Result<error_code>> ClientConnection::send_rest(BodySource& source, Duration limit) {
    while (true) {
        deadline_.clear();  // Who sends the body has a deadline of its own.
        auto piece = co_await source.read_some();
        if (!piece) {
            transport_.close();
            co_return std::move(piece).error();
        }
        if (piece->empty()) co_return error_code{};
        if (cancelled_) co_return error_code(asio::error::operation_aborted);
        deadline_.set(limit);
        Gather gather;
        gather.add(*piece);
        error_code ec = transport_.try_write(gather);
        if (!ec && !gather.empty()) ec = co_await transport_.write(gather);
        if (ec) co_return ec;
    }
}

asio::awaitable<Result<Unit>> ClientConnection::exchange(std::string_view head, const ClientRequest& request,
                                                         ResponseHead& response, Duration limit) {
    parked_ = false;
    heard_ = false;
    complete_ = false;
    expired_ = false;
    deadline_.set(limit);
    Gather gather;
    gather.add(head);
    gather.add(request.body);
    for (const std::string_view piece : request.more) gather.add(piece);
    error_code ec = transport_.try_write(gather);
    if (!ec && !gather.empty()) {
        ec = co_await transport_.write(gather);
        if (ec && (expired_ || cancelled_)) {
            co_return broken(Fault::WriteFailed, Fault::HeadTimeout, "send the request", ec);
        }
        deadline_.set(limit);
    }
    if (!ec && request.source != nullptr) {
        CO_TRY(ec, co_await send_rest(*request.source, limit));
        if (ec && (expired_ || cancelled_)) {
            co_return broken(Fault::WriteFailed, Fault::HeadTimeout, "send the request", ec);
        }
        deadline_.set(limit);
    }
    // Who refuses a request early answers and closes while we still write: that answer counts.
    closed_ = static_cast<bool>(ec);
    auto read = co_await read_head(response, request.method == "HEAD");
    if (!read && ec && !heard_ && fault_of(read.error()) == Fault::ResetBeforeHead) {
        co_return broken(Fault::WriteFailed, Fault::HeadTimeout, "send the request", ec);
    }
    co_return read;
}

asio::awaitable<Result<Unit>> ClientConnection::read_head(ResponseHead& response, bool is_head_request) {
    static constexpr std::string_view kDoing = "read the response head";
    while (true) {
        parser_.reset();
        if (is_head_request) parser_.expect_no_body();
        ParseStep step;
        while (true) {
            step = parser_.parse_head(buffer_.data(), response);
            buffer_.consume(step.consumed);
            if (step.state != ParseState::NeedMore) break;
            const auto room = std::max(kSmallBuffer, std::min(2 * buffer_.size(), options_->max_header_bytes + 8));
            auto [ec, count] = co_await transport_.read_some(buffer_.make_room(room));
            buffer_.commit(count);
            heard_ = heard_ || count > 0;
            if (ec) co_return broken(Fault::ResetBeforeHead, Fault::HeadTimeout, kDoing, ec);
        }
        if (step.state != ParseState::Ok || response.status == 101) {
            co_return broken(Fault::MalformedHead, Fault::HeadTimeout, kDoing, {});
        }
        if (response.status >= 200) break;
    }
    deadline_.clear();
    complete_ = parser_.done();
    // Chunks are how streams of events come, small and far apart; what comes faster makes its reads larger.
    capacity_ = parser_.chunked() ? kStreamBuffer : kSmallBuffer;
    co_return Unit{};
}

asio::awaitable<Result<std::string_view>> ClientConnection::read_some(Duration between) {
    static constexpr std::string_view kDoing = "read the response body";
    buffer_.consume(std::exchange(held_, 0));
    bool waited = false;
    while (!parser_.done()) {
        const auto step = parser_.parse_body(buffer_.data());
        if (!step.piece.empty()) {
            held_ = step.consumed;
            if (waited) deadline_.clear();
            co_return step.piece;
        }
        buffer_.consume(step.consumed);
        if (step.state == ParseState::Ok) break;
        if (step.state != ParseState::NeedMore || buffer_.size() >= kLargeBuffer) {
            co_return broken(Fault::MalformedBody, Fault::BodyTimeout, kDoing, {});
        }
        if (cancelled_ || !transport_.is_open()) {
            co_return broken(Fault::BodyCut, Fault::BodyTimeout, kDoing, asio::error::operation_aborted);
        }
        deadline_.set(between);
        waited = true;
        buffer_.shrink(capacity_);  // Thousands of streams may wait like this one.
        auto [ec, count] = co_await transport_.read_some(buffer_.make_room(capacity_));
        buffer_.commit(count);
        // A read that filled what it was given: there is more where that came from.
        if (count > 0 && buffer_.tail().size() == 0) capacity_ = std::min(2 * capacity_, kLargeBuffer);
        if (!ec) continue;
        if (ec == asio::error::eof && parser_.finish_at_eof()) {
            closed_ = true;
            break;
        }
        co_return broken(Fault::BodyCut, Fault::BodyTimeout, kDoing, ec);
    }
    if (waited) deadline_.clear();
    complete_ = true;
    co_return std::string_view{};
}

bool ClientConnection::reusable() const {
    return complete_ && !closed_ && !cancelled_ && transport_.is_open() && parser_.done() && parser_.keep_alive() &&
           buffer_.size() == held_;
}

void ClientConnection::park(Duration limit) {
    buffer_.consume(std::exchange(held_, 0));
    buffer_.shrink(0);
    parked_ = true;
    deadline_.set(limit);
}

}  // namespace stoker::net::internal
