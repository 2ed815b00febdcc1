#include "bench/load.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>

#include "bench/answer_reader.h"
#include "bench/socket.h"

namespace stoker::bench {
namespace {

using Clock = std::chrono::steady_clock;

std::uint32_t tenths_of_us(Clock::duration span) {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(span).count() / 100);
}

struct ClientState {
    Socket socket;
    AnswerReader reader;
    Clock::time_point sent;
    Clock::time_point first_byte;
};

// The clients and the loop over them.
class Run {
public:
    explicit Run(const LoadOptions& options) : options_(options), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

    Result<LoadResult> go() {
        clients_.resize(static_cast<std::size_t>(options_.clients));
        for (std::size_t i = 0; i < clients_.size(); ++i) TRY_UNIT(connect(i));
        counting_from_ = Clock::now() + options_.warm_up;
        auto end = counting_from_ + options_.duration;
        for (std::size_t i = 0; i < clients_.size(); ++i) ask(i);
        bool counting = false;
        for (auto now = Clock::now(); now < end; now = Clock::now()) {
            if (!counting && now >= counting_from_ && options_.at_start) options_.at_start();
            counting = counting || now >= counting_from_;
            epoll_event events[256];
            int count = ::epoll_wait(epoll_.fd(), events, 256, 100);
            for (int i = 0; i < count; ++i) read(events[i].data.u64);
        }
        result_.seconds = std::chrono::duration<double>(Clock::now() - counting_from_).count();
        std::sort(result_.latency_us.begin(), result_.latency_us.end());
        std::sort(result_.first_byte_us.begin(), result_.first_byte_us.end());
        return std::move(result_);
    }

private:
    Result<Unit> connect(std::size_t index) {
        TRY(clients_[index].socket, connect_to(options_.address));
        epoll_event event{.events = EPOLLIN, .data = {.u64 = index}};
        ::epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, clients_[index].socket.fd(), &event);
        return Unit{};
    }

    void ask(std::size_t index) {
        auto& client = clients_[index];
        client.reader.reset();
        client.sent = Clock::now();
        client.first_byte = {};
        if (!send_all(client.socket.fd(), options_.request)) fail(index, "the connection was closed while sending");
    }

    void read(std::size_t index) {
        auto& client = clients_[index];
        char buffer[64 * 1024];
        ssize_t got = ::recv(client.socket.fd(), buffer, sizeof buffer, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) {
            fail(index, "the connection was closed before the answer's end");
            return;
        }
        auto state = client.reader.feed({buffer, static_cast<std::size_t>(got)});
        if (client.reader.body_begun() && client.first_byte == Clock::time_point{}) client.first_byte = Clock::now();
        if (state == AnswerReader::State::Malformed) {
            fail(index, "malformed answer");
        } else if (state == AnswerReader::State::Done) {
            finish(client);
            ask(index);
        }
    }

    void finish(const ClientState& client) {
        auto now = Clock::now();
        if (now < counting_from_) return;
        if (client.reader.status() != 200) {
            note("status " + std::to_string(client.reader.status()));
            return;
        }
        ++result_.requests;
        result_.latency_us.push_back(tenths_of_us(now - client.sent));
        result_.first_byte_us.push_back(tenths_of_us(client.first_byte - client.sent));
    }

    void fail(std::size_t index, const std::string& why) {
        note(why);
        clients_[index].socket.close();
        // A server that refuses everybody would keep us here; a client that can't come back stays out.
        if (result_.failures < 10'000 && connect(index)) ask(index);
    }

    void note(const std::string& why) {
        if (result_.failures++ == 0) result_.first_failure = why;
    }

    const LoadOptions& options_;
    Socket epoll_;
    std::vector<ClientState> clients_;
    Clock::time_point counting_from_;
    LoadResult result_;
};

}  // namespace

Result<LoadResult> run_load(const LoadOptions& options) {
    return Run(options).go();
}

double quantile_us(const std::vector<std::uint32_t>& values, double q) {
    if (values.empty()) return 0;
    auto index = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5);
    return static_cast<double>(values[index]) / 10;
}

std::string post_request(std::string_view address, std::string_view path, std::string_view body,
                         std::string_view header_lines) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(address) +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(header_lines) + "\r\n" + std::string(body);
}

}  // namespace stoker::bench
