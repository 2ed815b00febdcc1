// node_exporter's collector "tcpstat": TCP connections by state.
//
// Asked of the kernel by sock_diag(7), which answers ten thousand connections in a few milliseconds; the text of
// /proc/net/tcp takes several times that.
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "collect/host/collectors.h"

namespace stoker::collect {
namespace {

// By the kernel's numbers (include/net/tcp_states.h); node_exporter's spelling.
constexpr std::array<std::string_view, 12> kStates = {"",           "established", "syn_sent",  "syn_recv",
                                                      "fin_wait1",  "fin_wait2",   "time_wait", "close",
                                                      "close_wait", "last_ack",    "listen",    "closing"};
constexpr MetricFamily kConnections{"node_tcp_connection_states", MetricType::Gauge, "TCP connections by state."};

struct Tally {
    std::array<double, kStates.size()> states{};
    double receive_bytes = 0;
    double transmit_bytes = 0;
};

class Socket {
public:
    explicit Socket(int fd) : fd_(fd) {}
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int fd() const { return fd_; }

private:
    const int fd_;
};

Error failed(const char* what) {
    return {Errc::Internal, std::string("sock_diag: ") + what + ": " + std::strerror(errno)};
}

// Adds what one datagram of the answer says. True: it was the last.
Result<bool> take(const char* data, std::size_t size, Tally& tally) {
    while (size >= sizeof(nlmsghdr)) {
        nlmsghdr head{};
        std::memcpy(&head, data, sizeof(head));
        if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > size) break;
        if (head.nlmsg_type == NLMSG_DONE) return true;
        if (head.nlmsg_type == NLMSG_ERROR) return Error{Errc::Internal, "sock_diag: refused by the kernel"};
        if (head.nlmsg_len >= NLMSG_HDRLEN + sizeof(inet_diag_msg)) {
            inet_diag_msg socket{};
            std::memcpy(&socket, data + NLMSG_HDRLEN, sizeof(socket));
            if (socket.idiag_state < kStates.size()) ++tally.states[socket.idiag_state];
            tally.receive_bytes += socket.idiag_rqueue;
            tally.transmit_bytes += socket.idiag_wqueue;
        }
        const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), size);
        data += step;
        size -= step;
    }
    return false;
}

Result<Unit> count(int fd, std::uint8_t family, Tally& tally) {
    struct {
        nlmsghdr head{};
        inet_diag_req_v2 ask{};
    } request;
    request.head.nlmsg_len = sizeof(request);
    request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.ask.sdiag_family = family;
    request.ask.sdiag_protocol = IPPROTO_TCP;
    request.ask.idiag_states = ~0U;
    if (::send(fd, &request, sizeof(request), 0) < 0) return failed("send");
    std::array<char, 32 * 1024> buffer;  // The kernel's largest datagram of a dump.
    while (true) {
        const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return failed("receive");
        TRY(const bool last, take(buffer.data(), static_cast<std::size_t>(got), tally));
        if (last) return Unit{};
    }
}

}  // namespace

Result<Unit> collect_tcpstat(HostContext& host) {
    const Socket socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (socket.fd() < 0) return failed("socket");
    const timeval limit{.tv_sec = 2, .tv_usec = 0};
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    Tally tally;
    TRY_UNIT(count(socket.fd(), AF_INET, tally));
    // A kernel without IPv6 refuses; what IPv4 has is right all the same.
    (void)count(socket.fd(), AF_INET6, tally);
    for (std::size_t i = 1; i < kStates.size(); ++i) {
        host.page.add(kConnections, {{"state", kStates[i]}}, tally.states[i]);
    }
    host.page.add(kConnections, {{"state", "rx_queued_bytes"}}, tally.receive_bytes);
    host.page.add(kConnections, {{"state", "tx_queued_bytes"}}, tally.transmit_bytes);
    return Unit{};
}

}  // namespace stoker::collect
