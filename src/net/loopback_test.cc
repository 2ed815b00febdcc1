#include "net/loopback_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace stoker::net::test {
namespace {

using namespace std::chrono_literals;

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool readable(int descriptor) {
    pollfd poll_for{descriptor, POLLIN, 0};
    return ::poll(&poll_for, 1, 5000) == 1;
}

}  // namespace

bool eventually(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + 5s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

RawSocket::RawSocket(const std::string& address) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const auto to = loopback(std::stoi(address.substr(address.rfind(':') + 1)));
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        ADD_FAILURE() << "connect to " << address << ": " << std::strerror(errno);
    }
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

RawSocket::~RawSocket() {
    close();
}

void RawSocket::close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

void RawSocket::reset() {
    const linger hard{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
}

void RawSocket::shutdown_send() {
    ::shutdown(descriptor_, SHUT_WR);
}

void RawSocket::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) return;  // The test sees it in what comes back.
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool RawSocket::fill() {
    char space[65536];
    if (ended_ || !readable(descriptor_)) return false;
    const auto got = ::recv(descriptor_, space, sizeof space, 0);
    if (got <= 0) {
        ended_ = true;
        return false;
    }
    received_.append(space, static_cast<std::size_t>(got));
    return true;
}

std::string RawSocket::receive_until(std::string_view end) {
    while (end.empty() || received_.find(end) == std::string::npos) {
        if (!fill()) return std::exchange(received_, {});
    }
    const auto length = received_.find(end) + end.size();
    std::string text = received_.substr(0, length);
    received_.erase(0, length);
    return text;
}

std::string RawSocket::receive_response() {
    std::string text = receive_until("\r\n\r\n");
    if (text.find("Transfer-Encoding: chunked") != std::string::npos) return text + receive_until("0\r\n\r\n");
    const auto at = text.find("Content-Length: ");
    const std::size_t length = at == std::string::npos ? 0 : std::stoul(text.substr(at + 16));
    while (received_.size() < length && fill()) {
    }
    text += received_.substr(0, length);
    received_.erase(0, length);
    return text;
}

bool RawSocket::at_end() {
    fill();
    return ended_;
}

TestServer::TestServer(Handler handler, ServerOptions options, std::size_t loops) : loops_(loops) {
    loops_.start();
    if (options.name.empty()) options.name = "test";
    if (options.listen.empty()) options.listen = "127.0.0.1:0";
    auto server = Server::open(loops_, std::move(options), std::move(handler), registry_);
    if (!server) {
        ADD_FAILURE() << server.error().message;
        std::abort();
    }
    server_ = *std::move(server);
}

TestServer::~TestServer() {
    server_->stop(Duration{0});
    loops_.stop();
}

Url TestServer::url(std::string path) const {
    const std::string at = address();
    return {.tls = false, .host = "127.0.0.1", .port = at.substr(at.rfind(':') + 1), .path = std::move(path)};
}

double TestServer::metric(const std::string& name, const std::string& label) const {
    double value = 0;
    auto visit = [&](const metrics::Exposed& sample) {
        bool matches = sample.name == name;
        bool labelled = label.empty();
        for (const auto& [key, text] : sample.labels) labelled = labelled || text == label;
        if (matches && labelled) value += sample.value;
    };
    registry_.each_sample(visit);
    return value;
}

ScriptedUpstream::ScriptedUpstream() : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    auto address = loopback(0);
    socklen_t length = sizeof address;
    ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), length);
    ::listen(descriptor_, 16);
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
}

ScriptedUpstream::~ScriptedUpstream() {
    close();
}

void ScriptedUpstream::close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

Url ScriptedUpstream::url(std::string path) const {
    return {.tls = false, .host = "127.0.0.1", .port = std::to_string(port_), .path = std::move(path)};
}

std::unique_ptr<RawSocket> ScriptedUpstream::accept() {
    if (!readable(descriptor_)) {
        ADD_FAILURE() << "nobody connected";
        return std::make_unique<RawSocket>(-1);
    }
    return std::make_unique<RawSocket>(::accept(descriptor_, nullptr, nullptr));
}

}  // namespace stoker::net::test
