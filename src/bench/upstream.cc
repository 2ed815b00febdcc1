#include "bench/upstream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/socket.h"

namespace stoker::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kChunkStart = R"(data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1)"
                                         R"(,"model":"bench","choices":[{"index":0,"delta":)";
constexpr std::string_view kChunkEnd = R"(,"logprobs":null,"finish_reason":null}]})"
                                       "\n\n";

// The number behind `key` in JSON written without spaces; empty if it is not there.
std::optional<std::int64_t> number_after(std::string_view text, std::string_view key) {
    const auto at = text.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    std::int64_t value = 0;
    const char* const from = text.data() + at + key.size();
    if (std::from_chars(from, text.data() + text.size(), value).ec != std::errc{}) return std::nullopt;
    return value;
}

void append_chunk(std::string& out, std::string_view data) {
    char size[16];
    out.append(size, std::to_chars(size, size + sizeof size, data.size(), 16).ptr).append("\r\n");
    out.append(data).append("\r\n");
}

std::string token_event() {
    std::string event(kChunkStart);
    event += R"({"content":" @)";
    event += std::to_string(Clock::now().time_since_epoch().count());
    event += R"("})";
    return event.append(kChunkEnd);
}

std::string whole_answer(std::int64_t tokens) {
    const std::string count = std::to_string(tokens);
    const std::string body =
        R"({"id":"chatcmpl-bench","object":"chat.completion","created":1,"model":"bench","choices":[{"index":0,)"
        R"("message":{"role":"assistant","content":"Pressure."},"logprobs":null,"finish_reason":"stop"}],)"
        R"("usage":{"prompt_tokens":20,"completion_tokens":)" +
        count + R"(,"total_tokens":21}})";
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

struct Peer {
    explicit Peer(Socket given) : socket(std::move(given)) {}

    Socket socket;
    std::string start;         // Of the request under way: its head and as much of the body as holds the options.
    std::size_t received = 0;  // Of the request under way.
    std::size_t expected = 0;  // Its whole size, once the head is known.
    std::int64_t tokens_left = 0;
    std::chrono::nanoseconds pace{0};
    bool usage = false;
    std::uint64_t stream = 0;  // Its number, so that a token due for a former one on this descriptor is not written.
};

class Upstream {
public:
    explicit Upstream(Socket listener) : listener_(std::move(listener)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        watch(listener_.fd());
    }

    [[noreturn]] void run() {
        for (;;) {
            epoll_event events[256];
            timespec wait{1, 0};
            if (!due_.empty()) {
                const auto left = std::max<std::int64_t>(0, (due_.top().time - Clock::now()).count());
                wait = {left / 1'000'000'000, left % 1'000'000'000};
            }
            const int count = ::epoll_pwait2(epoll_.fd(), events, 256, &wait, nullptr);
            for (int i = 0; i < count; ++i) {
                if (events[i].data.fd == listener_.fd()) {
                    accept_all();
                } else {
                    read(events[i].data.fd);
                }
            }
            write_due();
        }
    }

private:
    struct Due {
        Clock::time_point time;
        int fd;
        std::uint64_t stream;
        bool operator<(const Due& other) const { return time > other.time; }  // The earliest on top.
    };

    void watch(int fd) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
        ::epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, fd, &event);
    }

    void accept_all() {
        for (;;) {
            Socket socket(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (socket.fd() < 0) return;
            const int fd = socket.fd();
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            watch(fd);
            peers_.insert_or_assign(fd, std::make_unique<Peer>(std::move(socket)));
        }
    }

    void read(int fd) {
        Peer& peer = *peers_.at(fd);
        const ssize_t got = ::recv(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) {
            peers_.erase(fd);
            return;
        }
        constexpr std::size_t kOptions = 4096;
        const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
        if (peer.start.size() < kOptions) peer.start.append(bytes.substr(0, kOptions - peer.start.size()));
        peer.received += bytes.size();
        if (peer.expected == 0) {
            const auto head_end = peer.start.find("\r\n\r\n");
            if (head_end == std::string::npos) return;
            std::string head = peer.start.substr(0, head_end);
            for (char& c : head) c = static_cast<char>(c | 0x20);  // Enough to find a field by its name.
            peer.expected = head_end + 4 + static_cast<std::size_t>(number_after(head, "content-length: ").value_or(0));
        }
        if (peer.received < peer.expected) return;
        answer(fd, peer);
        peer.start.clear();
        peer.received = peer.expected = 0;
    }

    void answer(int fd, Peer& peer) {
        const std::string_view request = peer.start;
        if (request.starts_with("GET ")) {
            send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        const std::int64_t tokens = number_after(request, R"("max_tokens":)").value_or(1);
        if (request.find(R"("stream":true)") == std::string_view::npos) {
            send_all(fd, whole_answer(tokens));
            return;
        }
        const std::int64_t rate = number_after(request, R"("user":")").value_or(0);
        peer.pace = std::chrono::nanoseconds(rate > 0 ? 1'000'000'000 / rate : 0);
        peer.usage = request.find(R"("include_usage":true)") != std::string_view::npos;
        peer.tokens_left = tokens;
        peer.stream = ++streams_;
        std::string out =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";
        append_chunk(out, std::string(kChunkStart) + R"({"role":"assistant","content":""})" + std::string(kChunkEnd));
        write_token(fd, peer, Clock::now(), std::move(out));
    }

    // The next token behind `out`, and the end behind the last.
    void write_token(int fd, Peer& peer, Clock::time_point time, std::string out) {
        do {
            append_chunk(out, token_event());
        } while (--peer.tokens_left > 0 && peer.pace.count() == 0);
        if (peer.tokens_left > 0) {
            due_.push({time + peer.pace, fd, peer.stream});
        } else {
            std::string end(kChunkStart);
            end += R"({},"logprobs":null,"finish_reason":"stop"}]})"
                   "\n\n";
            if (peer.usage) {
                end += R"(data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1,"model":"bench",)"
                       R"("choices":[],"usage":{"prompt_tokens":20,"completion_tokens":250,"total_tokens":270}})"
                       "\n\n";
            }
            append_chunk(out, end + "data: [DONE]\n\n");
            out += "0\r\n\r\n";
        }
        send_all(fd, out);
    }

    void write_due() {
        const auto now = Clock::now();
        while (!due_.empty() && due_.top().time <= now) {
            const Due due = due_.top();
            due_.pop();
            const auto found = peers_.find(due.fd);
            if (found == peers_.end() || found->second->stream != due.stream) continue;
            write_token(due.fd, *found->second, due.time, {});
        }
    }

    Socket listener_;
    Socket epoll_;
    std::unordered_map<int, std::unique_ptr<Peer>> peers_;
    std::priority_queue<Due> due_;
    std::uint64_t streams_ = 0;
    std::vector<char> buffer_ = std::vector<char>(256 * 1024);
};

}  // namespace

Result<Unit> run_upstream(const std::string& address) {
    TRY(auto listener, listen_on(address));
    Upstream(std::move(listener)).run();
}

}  // namespace stoker::bench
