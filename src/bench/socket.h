// Sockets for the load generator and its upstream: IPv4, blocking calls with plain results.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace stoker::bench {

// Owns a file descriptor.
class Socket {
public:
    Socket() = default;
    explicit Socket(int fd) : fd_(fd) {}
    ~Socket() { close(); }
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    int fd() const { return fd_; }
    void close();

private:
    int fd_ = -1;
};

// `address` is HOST:PORT with an IPv4 host. Errors: InvalidArgument, Unavailable.
Result<Socket> connect_to(const std::string& address);
Result<Socket> listen_on(const std::string& address);

// Writes all of it, waiting as long as it takes. False: the connection is gone.
bool send_all(int fd, std::string_view data);

}  // namespace stoker::bench
