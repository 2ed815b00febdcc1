#include "http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <stdexcept>

namespace stoker::bench {

Http::Http(const std::string& address) : address_(address) {
    connect();
}

Http::~Http() {
    if (fd_ >= 0) close(fd_);
}

void Http::connect() {
    const auto colon = address_.find(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address_.c_str() + colon + 1)));
    inet_pton(AF_INET, address_.substr(0, colon).c_str(), &to.sin_addr);
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const timeval limit{300, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error("can't reach " + address_);
}

Answer Http::get(const std::string& target) {
    write_all("GET " + target + " HTTP/1.1\r\nHost: " + address_ + "\r\n\r\n");
    return read_answer();
}

Answer Http::post(const std::string& target, const std::string& headers, std::string_view body) {
    write_all("POST " + target + " HTTP/1.1\r\nHost: " + address_ + "\r\n" + headers +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    write_all(body);
    return read_answer();
}

void Http::write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) throw std::runtime_error("connection to " + address_ + " broke while sending");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::size_t Http::more() {
    char chunk[65536];
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0) throw std::runtime_error("connection to " + address_ + " broke while reading");
    buffer_.append(chunk, static_cast<std::size_t>(got));
    return static_cast<std::size_t>(got);
}

std::string Http::read_line() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos) more();
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return line;
}

std::string Http::take(std::size_t count) {
    while (buffer_.size() < count) more();
    std::string taken = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return taken;
}

Answer Http::read_answer() {
    Answer answer;
    answer.status = std::atoi(read_line().substr(9, 3).c_str());
    std::size_t length = 0;
    bool chunked = false;
    for (std::string line; !(line = read_line()).empty();) {
        std::transform(line.begin(), line.end(), line.begin(), [](unsigned char c) { return std::tolower(c); });
        if (line.starts_with("content-length:")) length = std::strtoull(line.c_str() + 15, nullptr, 10);
        if (line.starts_with("transfer-encoding:") && line.find("chunked") != std::string::npos) chunked = true;
    }
    if (!chunked) {
        answer.body = take(length);
        return answer;
    }
    while (true) {
        const std::size_t size = std::strtoull(read_line().c_str(), nullptr, 16);
        answer.body += take(size);
        read_line();
        if (size == 0) return answer;
    }
}

}  // namespace stoker::bench
