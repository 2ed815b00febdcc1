// A connection to Redis: commands go out in the order they are given, as many as there are at a time, and replies come
// back in that order. TCP or TLS.
//
// A command that is not answered in time ends the connection: what was sent may or may not have been done, and what
// comes later could no longer be told apart. Lives on one loop; not thread-safe.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "net/client.h"
#include "net/redis_protocol.h"

namespace stoker::net {

struct RedisOptions {
    std::string host{};
    std::string port = "6379";
    std::string user{};      // Empty: the default one.
    std::string password{};  // Empty: none is sent.
    int database = 0;
    bool use_tls = false;
    TlsClientOptions tls{};

    bool operator==(const RedisOptions&) const;
    std::string address() const { return host + ":" + port; }
};

// redis://[[user]:password@]host[:port][/database], or rediss:// for TLS; what is escaped as in URLs is read so.
// Errors: InvalidArgument.
Result<RedisOptions> parse_redis_url(const std::string& url);

class RedisConnection {
public:
    // Called once for each command, on the loop, never from within send(). Errors: DeadlineExceeded, Unavailable,
    // Corruption; what Redis itself refuses is a value of Kind::Error.
    using Done = std::function<void(Result<RedisValue>)>;

    // Connects, says who we are and chooses the database, all within `limit`.
    // Errors: Unavailable, DeadlineExceeded, PermissionDenied (the password, or the database).
    static boost::asio::awaitable<Result<std::shared_ptr<RedisConnection>>> open(boost::asio::io_context& loop,
                                                                                 RedisOptions options, Duration limit);
    virtual ~RedisConnection() = default;

    virtual void send(const std::vector<std::string>& command, Duration limit, Done done) = 0;
    // The same for a coroutine on this loop.
    boost::asio::awaitable<Result<RedisValue>> call(std::vector<std::string> command, Duration limit);

    // Told once when the connection has ended, whoever ended it; before the commands that will get no reply.
    virtual void on_closed(std::function<void(const Error& why)> told) = 0;
    virtual void close(const Error& why) = 0;
    virtual bool is_open() const = 0;
};

}  // namespace stoker::net
