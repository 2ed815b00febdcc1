// One connection of the server: reads a request, runs the handler, answers, and begins again.
//
// While the handler works on a request whose body is read, the connection may read ahead into its buffer; that is how
// it notices that the client has gone, and the bytes of a pipelined request are then already there. Lives on one loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <string>

#include "net/buffer.h"
#include "net/deadline.h"
#include "net/parser.h"
#include "net/serialize.h"
#include "net/server.h"
#include "net/server_core.h"
#include "net/transport.h"

namespace stoker::net::internal {

class Connection final : public Exchange, public Deadline::Target, public std::enable_shared_from_this<Connection> {
public:
    Connection(std::shared_ptr<ServerCore> core, ServerLoop& loop, Socket socket, std::string peer);
    ~Connection() override;

    // Serves the connection to its end. Detached; holds itself.
    static void start(std::shared_ptr<Connection> self);

    // Ends after the running exchange; at once if there is none.
    void drain();
    // Ends now: the socket is closed and whatever the handler waits for is cancelled.
    void cut();

    const RequestHead& request() const override { return head_; }
    SteadyTime received_at() const override { return received_at_; }
    boost::asio::awaitable<Result<std::string>> read_body(std::size_t limit) override;
    boost::asio::awaitable<Result<std::string_view>> read_some() override;
    boost::asio::awaitable<Result<Unit>> respond(Response response) override;
    boost::asio::awaitable<Result<Unit>> start(ResponseHead head) override;
    boost::asio::awaitable<Result<Unit>> write(std::string_view data) override;
    boost::asio::awaitable<Result<Unit>> finish() override;
    void abort() override;
    bool started() const override { return answer_ != Answer::None; }
    void on_client_gone(std::function<void()> gone) override;
    bool client_gone() const override { return client_gone_; }

private:
    class ReadAhead;
    enum class Answer : std::uint8_t { None, Streaming, Done };

    static boost::asio::awaitable<void> run(std::shared_ptr<Connection> self);
    boost::asio::awaitable<void> serve_all();

    // Reading.
    boost::asio::awaitable<bool> read_head();
    boost::asio::awaitable<error_code> fill(std::size_t capacity);
    boost::asio::awaitable<error_code> await_read_ahead();
    void begin_read_ahead();
    void on_read_ahead(error_code ec, std::size_t count);
    boost::asio::awaitable<bool> drain_body();
    Error body_error(Errc code, std::string message);

    // Answering.
    boost::asio::awaitable<bool> accept_request();
    boost::asio::awaitable<void> run_handler();
    boost::asio::awaitable<bool> refuse(Refusal refusal, int status, Errc code, std::string_view message);
    boost::asio::awaitable<Result<Unit>> send(Gather gather);
    void begin_answer(const ResponseHead& head, std::optional<std::uint64_t> length);
    bool may_keep_alive() const;
    boost::asio::awaitable<void> linger();

    void on_deadline() override;

    const std::shared_ptr<ServerCore> core_;
    ServerLoop& loop_;
    Transport transport_;
    Deadline deadline_;
    boost::asio::cancellation_signal cut_signal_;
    Buffer buffer_;
    RequestParser parser_;
    std::string out_;  // The answer's head.

    // Of the connection.
    bool idle_ = true;      // Between two requests.
    bool expired_ = false;  // The deadline ended the last operation.
    bool broken_ = false;   // Nothing more can be read or written.
    bool client_gone_ = false;
    bool keep_ = true;                 // Another request may follow.
    bool must_linger_ = false;         // Unread input: a plain close would reset the connection and lose our answer.
    ReadAhead* read_ahead_ = nullptr;  // While one is under way.

    // Of the exchange.
    RequestHead head_;
    SteadyTime received_at_{};
    Answer answer_ = Answer::None;
    int status_ = 0;
    Framing framing_ = Framing::None;
    std::uint64_t to_write_ = 0;  // Of a body with a length.
    std::uint64_t body_read_ = 0;
    std::size_t held_ = 0;       // Bytes of the buffer that the last piece still shows.
    bool continue_due_ = false;  // The client waits for 100 Continue.
    std::function<void()> on_gone_;
};

}  // namespace stoker::net::internal
