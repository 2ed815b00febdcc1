#include "net/connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "base/check.h"
#include "base/log.h"
#include "net/wakeup.h"

namespace stoker::net::internal {
namespace asio = boost::asio;

namespace {

constexpr std::size_t kIdleBuffer = 2 * 1024;
constexpr std::size_t kHeadBuffer = 4 * 1024;
constexpr std::size_t kBodyBuffer = 64 * 1024;
// An unread body up to that size is read and dropped to keep the connection; past it, closing is cheaper.
constexpr std::size_t kDrainLimit = 64 * 1024;
constexpr Duration kLinger{2'000};

bool never_has_body(int status) {
    return status / 100 == 1 || status == 204 || status == 304;
}

Error bug(std::string message) {
    return {Errc::Internal, std::move(message)};
}

}  // namespace

// A read under way that nobody waits for yet. Owned by the operation, so that it goes when the loop goes.
class Connection::ReadAhead final : public Transport::ReadSink {
public:
    explicit ReadAhead(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

    void on_read(error_code ec, std::size_t count) override {
        connection_->on_read_ahead(ec, count);
        ended.notify();
    }

    Wakeup ended;

private:
    std::shared_ptr<Connection> connection_;
};

Connection::Connection(std::shared_ptr<ServerCore> core, ServerLoop& loop, Socket socket, std::string peer)
    : core_(std::move(core)),
      loop_(loop),
      transport_(std::move(socket)),
      deadline_(loop.loop, *this),
      parser_(core_->options.max_header_bytes) {
    head_.peer = std::move(peer);
    loop_.connections.insert(this);
    core_->metrics.connections->add(1);
    core_->connections.fetch_add(1, std::memory_order_relaxed);
    core_->enter();
}

Connection::~Connection() {
    loop_.connections.erase(this);
    core_->metrics.connections->add(-1);
    core_->connections.fetch_sub(1, std::memory_order_relaxed);
    core_->leave();
}

void Connection::start(std::shared_ptr<Connection> self) {
    auto slot = self->cut_signal_.slot();
    auto& loop = self->loop_.loop;
    auto ended = [self](std::exception_ptr) { self->transport_.close(); };
    auto work = run(std::move(self));
    asio::co_spawn(loop, std::move(work), asio::bind_cancellation_slot(slot, std::move(ended)));
}

asio::awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
    self->transport_.connected();
    if (self->core_->tls) {
        self->deadline_.set(self->core_->options.header_timeout);
        const error_code failed = co_await self->transport_.accept_tls(*self->core_->tls);
        if (failed) co_return;
    }
    co_await self->serve_all();
    if (self->must_linger_ && !self->broken_) co_await self->linger();
    if (self->transport_.is_tls() && !self->broken_) {
        self->deadline_.set(kLinger);
        co_await self->transport_.shutdown_send();
    }
    self->transport_.close();
}

asio::awaitable<void> Connection::serve_all() {
    while (keep_ && !broken_) {
        // gcc 12 lays the frame out wrongly when a co_await stands in the condition itself; hence the names.
        const bool complete = co_await read_head();
        if (!complete) co_return;
        const bool acceptable = co_await accept_request();
        if (!acceptable) co_return;
        co_await run_handler();
        if (!keep_ || broken_) co_return;
        const bool drained = co_await drain_body();
        if (!drained) co_return;
    }
}

void Connection::drain() {
    if (idle_) transport_.close();
}

void Connection::cut() {
    broken_ = true;
    transport_.close();
    client_gone_ = true;
    if (auto gone = std::exchange(on_gone_, nullptr)) gone();
    cut_signal_.emit(asio::cancellation_type::terminal);
}

void Connection::on_deadline() {
    expired_ = true;
    transport_.cancel();
}

// ---- Reading ----

asio::awaitable<error_code> Connection::fill(std::size_t capacity) {
    if (read_ahead_ != nullptr) co_return co_await await_read_ahead();
    if (broken_) co_return asio::error::eof;
    auto [ec, count] = co_await transport_.read_some(buffer_.make_room(capacity));
    buffer_.commit(count);
    co_return ec;
}

asio::awaitable<error_code> Connection::await_read_ahead() {
    co_await read_ahead_->ended.wait();
    if (broken_) co_return asio::error::eof;
    co_return expired_ ? error_code(asio::error::operation_aborted) : error_code();
}

void Connection::begin_read_ahead() {
    if (read_ahead_ != nullptr || broken_) return;
    if (held_ == 0 && buffer_.empty()) {
        buffer_.shrink(kIdleBuffer);
        buffer_.make_room(kIdleBuffer);
    }
    // A piece of the body may still be looked at, so the buffer must not move; no room, no reading ahead.
    const auto space = buffer_.tail();
    if (space.size() == 0) return;
    auto ahead = std::make_shared<ReadAhead>(shared_from_this());
    read_ahead_ = ahead.get();
    transport_.watch(space, std::move(ahead));
}

void Connection::on_read_ahead(error_code ec, std::size_t count) {
    read_ahead_ = nullptr;
    buffer_.commit(count);
    if (!ec) {
        if (on_gone_) begin_read_ahead();
        return;
    }
    if (ec == asio::error::operation_aborted && expired_) return;
    broken_ = broken_ || ec != asio::error::eof;
    client_gone_ = true;
    keep_ = false;
    if (auto gone = std::exchange(on_gone_, nullptr); gone && answer_ != Answer::Done) gone();
}

// A whole head into head_, or false: the connection is to be closed.
asio::awaitable<bool> Connection::read_head() {
    const ServerOptions& options = core_->options;
    parser_.reset();
    head_.method.clear();
    idle_ = true;
    expired_ = false;
    bool timed = false;
    deadline_.set(options.idle_timeout);
    while (true) {
        // An empty line before a request is a leftover of the one before (RFC 9112, 2.2).
        while (idle_ && buffer_.data().starts_with("\r\n")) buffer_.consume(2);
        if (!buffer_.empty() && buffer_.data() != "\r") idle_ = false;
        const auto step = parser_.parse_head(idle_ ? std::string_view{} : buffer_.data(), head_);
        buffer_.consume(step.consumed);
        if (step.state == ParseState::Ok) break;
        if (step.state == ParseState::Malformed) {
            co_return co_await refuse(Refusal::Malformed, 400, Errc::InvalidArgument,
                                      "the request is not valid HTTP/1.1");
        }
        if (step.state == ParseState::HeadTooLarge) {
            co_return co_await refuse(Refusal::HeadTooLarge, 431, Errc::InvalidArgument,
                                      "the request head is too large");
        }
        if (idle_ && (loop_.draining || client_gone_)) co_return false;
        if (!idle_ && !std::exchange(timed, true)) deadline_.set(options.header_timeout);
        if (idle_ && read_ahead_ == nullptr) buffer_.shrink(kHeadBuffer);
        // Twice the room for a head that does not fit: at most what the parser accepts, and its end.
        const auto capacity = std::max(kHeadBuffer, std::min(2 * buffer_.size(), options.max_header_bytes + 8));
        const error_code ec = co_await fill(capacity);
        if (!ec) continue;
        if (expired_ && !idle_) {
            co_return co_await refuse(Refusal::HeadTimeout, 408, Errc::DeadlineExceeded,
                                      "the request head came too slowly");
        }
        co_return false;
    }
    deadline_.clear();
    received_at_ = std::chrono::steady_clock::now();
    co_return true;
}

// What the head alone rules out is answered here.
asio::awaitable<bool> Connection::accept_request() {
    answer_ = Answer::None;
    status_ = 0;
    body_read_ = 0;
    continue_due_ = parser_.expectation() == Expectation::Continue && parser_.minor_version() == 1 && !parser_.done();
    std::size_t hosts = 0;
    for (const auto& field : head_.headers) hosts += equal_without_case(field.first, "host");
    if (hosts > 1 || (hosts == 0 && parser_.minor_version() == 1)) {
        co_return co_await refuse(Refusal::Malformed, 400, Errc::InvalidArgument, "exactly one Host field is needed");
    }
    if (parser_.expectation() == Expectation::Unknown) {
        co_return co_await refuse(Refusal::Expectation, 417, Errc::InvalidArgument,
                                  "only 100-continue may be expected");
    }
    if (parser_.content_length().value_or(0) > core_->options.max_body_bytes) {
        co_return co_await refuse(Refusal::BodyTooLarge, 413, Errc::ResourceExhausted, "the request body is too large");
    }
    co_return true;
}

Error Connection::body_error(Errc code, std::string message) {
    keep_ = false;
    must_linger_ = true;
    return {code, std::move(message)};
}

asio::awaitable<Result<std::string_view>> Connection::read_some() {
    buffer_.consume(std::exchange(held_, 0));
    if (std::exchange(continue_due_, false) && buffer_.empty()) {
        Gather gather;
        gather.add("HTTP/1.1 100 Continue\r\n\r\n");
        CO_TRY_UNIT(co_await send(gather));
    }
    while (!parser_.done()) {
        const auto step = parser_.parse_body(buffer_.data());
        if (!step.piece.empty()) {
            held_ = step.consumed;
            body_read_ += step.piece.size();
            if (body_read_ > core_->options.max_body_bytes) {
                core_->metrics.refused[static_cast<std::size_t>(Refusal::BodyTooLarge)]->add();
                co_return body_error(Errc::ResourceExhausted, "the request body is too large");
            }
            co_return step.piece;
        }
        buffer_.consume(step.consumed);
        if (step.state == ParseState::Ok) break;
        if (step.state != ParseState::NeedMore || buffer_.size() >= kBodyBuffer) {
            core_->metrics.refused[static_cast<std::size_t>(Refusal::Malformed)]->add();
            co_return body_error(Errc::InvalidArgument, "the request body's chunks are malformed");
        }
        deadline_.set(core_->options.body_timeout);
        const error_code ec = co_await fill(kBodyBuffer);
        deadline_.clear();
        if (!ec) continue;
        if (std::exchange(expired_, false)) {
            co_return body_error(Errc::DeadlineExceeded, "the request body came too slowly");
        }
        client_gone_ = true;
        broken_ = true;
        co_return body_error(Errc::Cancelled, "the client closed the connection in the request body");
    }
    if (on_gone_) begin_read_ahead();
    co_return std::string_view{};
}

asio::awaitable<Result<std::string>> Connection::read_body(std::size_t limit) {
    std::string body;
    const auto announced = parser_.content_length();
    if (announced.value_or(0) > limit) {
        co_return body_error(Errc::ResourceExhausted, "the request body is too large");
    }
    if (announced) body.reserve(*announced);
    while (true) {
        CO_TRY(const std::string_view piece, co_await read_some());
        if (piece.empty()) break;
        if (piece.size() > limit - body.size()) {
            co_return body_error(Errc::ResourceExhausted, "the request body is too large");
        }
        body += piece;
    }
    co_return body;
}

// Reads what the handler left of a small body. False: too much of it, or the client went away.
asio::awaitable<bool> Connection::drain_body() {
    buffer_.consume(std::exchange(held_, 0));
    const auto start = body_read_;
    while (!parser_.done()) {
        if (continue_due_ || body_read_ - start > kDrainLimit) {
            must_linger_ = true;
            co_return false;
        }
        const auto piece = co_await read_some();
        if (!piece) co_return false;
    }
    buffer_.consume(std::exchange(held_, 0));
    co_return true;
}

// ---- Answering ----

asio::awaitable<void> Connection::run_handler() {
    bool threw = false;
    try {
        co_await core_->handler(*this);
    } catch (const std::exception& e) {
        threw = true;
        if (!broken_) log::error("exception in a request handler", {{"target", head_.path()}, {"what", e.what()}});
    }
    on_gone_ = nullptr;
    if (answer_ == Answer::None && !broken_) {
        if (!threw) log::error("a request handler gave no answer", {{"target", head_.path()}});
        Response failure = core_->error_response(500, Errc::Internal, "internal error");
        (void)co_await respond(std::move(failure));
    } else if (answer_ == Answer::Streaming) {
        abort();
    }
    core_->metrics.requests[static_cast<std::size_t>(status_ / 100) % 6]->add();
}

// Answers what never reached a handler and ends the connection. Always false, for read_head() to return.
asio::awaitable<bool> Connection::refuse(Refusal refusal, int status, Errc code, std::string_view message) {
    core_->metrics.refused[static_cast<std::size_t>(refusal)]->add();
    answer_ = Answer::None;
    keep_ = false;
    must_linger_ = true;
    (void)co_await respond(core_->error_response(status, code, message));
    co_return false;
}

bool Connection::may_keep_alive() const {
    if (!keep_ || broken_ || client_gone_ || loop_.draining || !parser_.keep_alive()) return false;
    if (parser_.done()) return true;
    if (continue_due_) return false;
    return parser_.chunked() || parser_.content_length().value_or(0) - body_read_ <= kDrainLimit;
}

// Chooses the framing and writes the head into out_.
void Connection::begin_answer(const ResponseHead& head, std::optional<std::uint64_t> length) {
    status_ = head.status;
    if (never_has_body(status_)) {
        framing_ = Framing::None;
        length.reset();
    } else if (head_.method == "HEAD") {
        framing_ = Framing::None;
        if (head.headers.get("content-length")) length.reset();
    } else if (length) {
        framing_ = Framing::Length;
    } else {
        framing_ = parser_.minor_version() == 1 ? Framing::Chunked : Framing::UntilClose;
    }
    keep_ = may_keep_alive() && framing_ != Framing::UntilClose;
    if (!keep_ && !parser_.done()) must_linger_ = true;
    to_write_ = length.value_or(0);
    const std::string_view connection = !keep_ ? "close" : parser_.minor_version() == 0 ? "keep-alive" : "";
    out_.clear();
    append_response_head(out_, head, framing_, length, connection);
}

asio::awaitable<Result<Unit>> Connection::respond(Response response) {
    if (answer_ != Answer::None) co_return bug("respond() after the answer began");
    ResponseHead head{response.status, std::move(response.headers)};
    begin_answer(head, response.body.size());
    answer_ = Answer::Done;
    Gather gather;
    gather.add(out_);
    if (framing_ == Framing::Length) gather.add(response.body);
    co_return co_await send(gather);
}

asio::awaitable<Result<Unit>> Connection::start(ResponseHead head) {
    if (answer_ != Answer::None) co_return bug("start() after the answer began");
    std::optional<std::uint64_t> length;
    if (const auto text = head.headers.get("content-length")) {
        std::uint64_t value = 0;
        const auto end = text->data() + text->size();
        const auto parsed = std::from_chars(text->data(), end, value);
        if (parsed.ec == std::errc{} && parsed.ptr == end) length = value;
    }
    begin_answer(head, length);
    answer_ = Answer::Streaming;
    Gather gather;
    gather.add(out_);
    co_return co_await send(gather);
}

asio::awaitable<Result<Unit>> Connection::write(std::string_view data) {
    if (answer_ != Answer::Streaming) co_return bug("write() outside of start() and finish()");
    if (data.empty() || framing_ == Framing::None) co_return Unit{};
    char space[20];
    Gather gather;
    if (framing_ == Framing::Chunked) gather.add(chunk_header(space, data.size()));
    if (framing_ == Framing::Length) {
        if (data.size() > to_write_) co_return bug("more written than Content-Length announced");
        to_write_ -= data.size();
    }
    gather.add(data);
    if (framing_ == Framing::Chunked) gather.add("\r\n");
    co_return co_await send(gather);
}

asio::awaitable<Result<Unit>> Connection::finish() {
    if (answer_ != Answer::Streaming) co_return bug("finish() outside of a streamed answer");
    if (framing_ == Framing::Length && to_write_ > 0) {
        abort();
        co_return bug("less written than Content-Length announced");
    }
    answer_ = Answer::Done;
    if (framing_ != Framing::Chunked) co_return Unit{};
    Gather gather;
    gather.add("0\r\n\r\n");
    co_return co_await send(gather);
}

void Connection::abort() {
    keep_ = false;
    broken_ = true;
    answer_ = Answer::Done;
    must_linger_ = false;
    // Without a length or chunks the close itself is the end of the body, and only a reset tells otherwise.
    if (framing_ == Framing::UntilClose) transport_.reset_on_close();
    transport_.close();
}

asio::awaitable<Result<Unit>> Connection::send(Gather gather) {
    if (broken_) co_return Error{Errc::Cancelled, "the client has closed the connection"};
    error_code ec = transport_.try_write(gather);
    if (!ec && !gather.empty()) {
        deadline_.set(core_->options.write_timeout);
        ec = co_await transport_.write(gather);
        deadline_.clear();
    }
    if (!ec) co_return Unit{};
    broken_ = true;
    keep_ = false;
    if (std::exchange(expired_, false)) {
        co_return Error{Errc::DeadlineExceeded,
                        "the client took no data for " + format_duration(core_->options.write_timeout)};
    }
    client_gone_ = true;
    co_return Error{Errc::Cancelled, "the client has closed the connection"};
}

void Connection::on_client_gone(std::function<void()> gone) {
    on_gone_ = std::move(gone);
    if (!on_gone_) return;
    if (client_gone_) {
        std::exchange(on_gone_, nullptr)();
    } else if (parser_.done()) {
        begin_read_ahead();
    }
}

// Says that we are done and takes in what is still under way, for a while: closing over unread input makes the kernel
// send a reset, which would take our answer out of the client's hands.
asio::awaitable<void> Connection::linger() {
    deadline_.set(kLinger);
    expired_ = false;
    if (!transport_.is_tls()) co_await transport_.shutdown_send();
    for (std::size_t dropped = 0; dropped < 16 * kBodyBuffer && !expired_;) {
        buffer_.consume(buffer_.size());
        const error_code ec = co_await fill(kBodyBuffer);
        if (ec) co_return;
        dropped += buffer_.size();
    }
}

}  // namespace stoker::net::internal
