#include "net/redis.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <utility>

#include "net/async.h"
#include "net/buffer.h"
#include "net/deadline.h"
#include "net/tls.h"
#include "net/transport.h"
#include "net/wakeup.h"

namespace stoker::net {
namespace asio = boost::asio;
namespace {

using asio::ip::tcp;
using internal::error_code;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kRead = 16 * 1024;

class Connection final : public RedisConnection,
                         public internal::Deadline::Target,
                         public std::enable_shared_from_this<Connection> {
public:
    Connection(asio::io_context& loop, RedisOptions options)
        : loop_(loop), options_(std::move(options)), transport_(tcp::socket(loop)), deadline_(loop, *this) {}

    asio::awaitable<Result<Unit>> connect();
    // Reads replies until the connection ends. Detached; holds itself.
    static asio::awaitable<void> read(std::shared_ptr<Connection> self);

    void send(const std::vector<std::string>& command, Duration limit, Done done) override;
    void on_closed(std::function<void(const Error&)> told) override { told_ = std::move(told); }
    void close(const Error& why) override;
    bool is_open() const override { return open_; }

private:
    struct Waiting {
        SteadyTime due;
        Done done;
    };

    void on_deadline() override;
    void watch_first();
    static asio::awaitable<void> write(std::shared_ptr<Connection> self);
    bool take_replies();

    asio::io_context& loop_;
    const RedisOptions options_;
    internal::Transport transport_;
    internal::Deadline deadline_;
    internal::Buffer buffer_;
    RedisReader reader_;
    std::deque<Waiting> waiting_;
    std::string out_;  // Given since the last write began.
    std::function<void(const Error&)> told_;
    bool writing_ = false;
    bool open_ = true;
};

asio::awaitable<Result<Unit>> Connection::connect() {
    tcp::resolver resolver(loop_);
    auto [unresolved, endpoints] = co_await resolver.async_resolve(options_.host, options_.port, kTuple);
    if (unresolved) co_return Error{Errc::Unavailable, "resolve " + options_.host + ": " + unresolved.message()};
    error_code ec = asio::error::host_not_found;
    for (const auto& entry : endpoints) {
        error_code ignored;
        transport_.socket().close(ignored);
        auto [failed] = co_await transport_.socket().async_connect(entry.endpoint(), kTuple);
        ec = failed;
        if (!ec) break;
    }
    if (ec) co_return Error{Errc::Unavailable, "connect to " + options_.address() + ": " + ec.message()};
    transport_.connected();
    if (!options_.use_tls) co_return Unit{};
    CO_TRY(const auto context, internal::client_context(options_.tls));
    ec = co_await transport_.connect_tls(*context, options_.host, options_.tls.verify);
    if (ec) co_return Error{Errc::Unavailable, "TLS with " + options_.address() + ": " + ec.message()};
    co_return Unit{};
}

void Connection::send(const std::vector<std::string>& command, Duration limit, Done done) {
    if (!open_) {
        auto refuse = [done = std::move(done)] { done(Error{Errc::Unavailable, "the connection has ended"}); };
        return asio::post(loop_, std::move(refuse));
    }
    out_ += redis_command(command);
    waiting_.push_back({std::chrono::steady_clock::now() + limit, std::move(done)});
    if (waiting_.size() == 1) watch_first();
    // Once a turn of the loop: what is given in the same turn goes out together.
    if (!std::exchange(writing_, true)) asio::co_spawn(loop_, write(shared_from_this()), asio::detached);
}

asio::awaitable<void> Connection::write(std::shared_ptr<Connection> self) {
    co_await asio::post(self->loop_, asio::use_awaitable);
    while (self->open_ && !self->out_.empty()) {
        const std::string bytes = std::exchange(self->out_, {});
        internal::Gather gather;
        gather.add(bytes);
        error_code ec = self->transport_.try_write(gather);
        if (!ec && !gather.empty()) ec = co_await self->transport_.write(gather);
        if (ec) self->close(Error{Errc::Unavailable, "write: " + ec.message()});
    }
    self->writing_ = false;
}

asio::awaitable<void> Connection::read(std::shared_ptr<Connection> self) {
    while (self->open_) {
        auto [ec, count] = co_await self->transport_.read_some(self->buffer_.make_room(kRead));
        self->buffer_.commit(count);
        self->reader_.feed(self->buffer_.data());
        self->buffer_.consume(self->buffer_.size());
        if (!self->take_replies()) co_return;
        if (ec == asio::error::eof) self->close(Error{Errc::Unavailable, "Redis closed the connection"});
        if (ec) self->close(Error{Errc::Unavailable, "read: " + ec.message()});
    }
}

bool Connection::take_replies() {
    while (open_) {
        auto reply = reader_.next();
        if (reply && !*reply) break;
        if (!reply || waiting_.empty()) {
            close(reply ? Error{Errc::Corruption, "a reply that nobody asked for"} : std::move(reply).error());
            return false;
        }
        Waiting first = std::move(waiting_.front());
        waiting_.pop_front();
        watch_first();
        first.done(**std::move(reply));
    }
    return open_;
}

void Connection::watch_first() {
    if (waiting_.empty()) return deadline_.clear();
    deadline_.set(std::chrono::ceil<Duration>(waiting_.front().due - std::chrono::steady_clock::now()));
}

void Connection::on_deadline() {
    // Not in place: what close() tells may end this connection.
    auto end = [self = shared_from_this()] {
        if (self->waiting_.empty() || self->waiting_.front().due > std::chrono::steady_clock::now()) {
            return self->watch_first();
        }
        self->close(Error{Errc::DeadlineExceeded, "no answer in time"});
    };
    asio::post(loop_, std::move(end));
}

void Connection::close(const Error& why) {
    if (!std::exchange(open_, false)) return;
    const auto self = shared_from_this();
    deadline_.clear();
    transport_.cancel();
    transport_.close();
    if (told_) std::exchange(told_, {})(why);
    for (Waiting& waiting : std::exchange(waiting_, {})) waiting.done(why);
}

// Owned by the one who is called and not by the coroutine that waits.
struct PendingReply {
    internal::Wakeup ended;
    std::optional<Result<RedisValue>> reply;
};

// What is said first on a connection. An answer of Kind::Error is one here too.
asio::awaitable<Result<Unit>> introduce(std::shared_ptr<RedisConnection> connection, RedisOptions options,
                                        Duration limit) {
    std::vector<std::vector<std::string>> commands;
    if (!options.password.empty()) {
        std::vector<std::string>& command = commands.emplace_back();
        command.emplace_back("AUTH");
        if (!options.user.empty()) command.push_back(options.user);
        command.push_back(options.password);
    }
    if (options.database != 0) commands.push_back({"SELECT", std::to_string(options.database)});
    for (const auto& command : commands) {
        CO_TRY(const RedisValue reply, co_await connection->call(command, limit));
        if (reply.kind == RedisValue::Kind::Error) {
            co_return Error{Errc::PermissionDenied, command[0] + ": " + reply.text};
        }
    }
    co_return Unit{};
}

}  // namespace

bool RedisOptions::operator==(const RedisOptions& other) const {
    return host == other.host && port == other.port && user == other.user && password == other.password &&
           database == other.database && use_tls == other.use_tls && tls.ca_file == other.tls.ca_file &&
           tls.verify == other.tls.verify && tls.certificate_file == other.tls.certificate_file &&
           tls.key_file == other.tls.key_file;
}

asio::awaitable<Result<std::shared_ptr<RedisConnection>>> RedisConnection::open(asio::io_context& loop,
                                                                                RedisOptions options, Duration limit) {
    auto connection = std::make_shared<Connection>(loop, options);
    auto connected = co_await with_deadline(connection->connect(), limit);
    if (!connected) co_return std::move(connected).error();
    asio::co_spawn(loop, Connection::read(connection), asio::detached);
    auto introduced = co_await introduce(connection, std::move(options), limit);
    if (introduced) co_return std::shared_ptr<RedisConnection>(std::move(connection));
    connection->close(introduced.error());
    co_return std::move(introduced).error();
}

asio::awaitable<Result<RedisValue>> RedisConnection::call(std::vector<std::string> command, Duration limit) {
    auto pending = std::make_shared<PendingReply>();
    PendingReply& looked_at = *pending;
    Done done = [pending = std::move(pending)](Result<RedisValue> reply) {
        pending->reply = std::move(reply);
        pending->ended.notify();
    };
    send(command, limit, std::move(done));
    co_await looked_at.ended.wait();
    co_return *std::move(looked_at.reply);
}

}  // namespace stoker::net
