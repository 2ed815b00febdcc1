#include "bench/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace stoker::bench {
namespace {

Result<sockaddr_in> parse(const std::string& address) {
    const auto colon = address.rfind(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    std::uint16_t port = 0;
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
    to.sin_port = htons(port);
    if (colon == std::string::npos || inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1) {
        return Error{Errc::InvalidArgument, "not an IPv4 HOST:PORT: " + address};
    }
    return to;
}

Error failed(const char* what, const std::string& address) {
    return {Errc::Unavailable, std::string(what) + " " + address + ": " + std::strerror(errno)};
}

}  // namespace

void Socket::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

Result<Socket> connect_to(const std::string& address) {
    TRY(const sockaddr_in to, parse(address));
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        return failed("connect to", address);
    }
    return socket;
}

Result<Socket> listen_on(const std::string& address) {
    TRY(const sockaddr_in at, parse(address));
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
        ::listen(socket.fd(), 8192) != 0) {
        return failed("listen on", address);
    }
    return socket;
}

bool send_all(int fd, std::string_view data) {
    while (!data.empty()) {
        const ssize_t sent = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            data.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            pollfd writable{fd, POLLOUT, 0};
            ::poll(&writable, 1, 1'000);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

}  // namespace stoker::bench
