#include "bench/streams.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "bench/answer_reader.h"
#include "bench/socket.h"

namespace stoker::bench {
namespace {

using Clock = std::chrono::steady_clock;

std::uint32_t tenths_of_us(Clock::duration span) {
    return static_cast<std::uint32_t>(std::max<std::int64_t>(0, span.count()) / 100);
}

struct StreamClient {
    Socket socket;
    AnswerReader reader;
    Clock::time_point sent;
    std::string stamp;  // One that began in the bytes before.
    bool in_stamp = false;
    int tokens = 0;
};

class Run {
public:
    explicit Run(const StreamOptions& options) : options_(options), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

    Result<StreamResult> go() {
        clients_.resize(static_cast<std::size_t>(options_.clients));
        const auto start = Clock::now();
        const Clock::duration step = Clock::duration(options_.ramp) / options_.clients;
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            TRY_UNIT(begin(i));
            poll_until(start + step * static_cast<std::int64_t>(i + 1));
        }
        if (options_.at_start) options_.at_start();
        counting_from_ = Clock::now();
        counting_ = true;
        poll_until(counting_from_ + options_.duration);
        result_.seconds = std::chrono::duration<double>(Clock::now() - counting_from_).count();
        if (options_.at_end) options_.at_end();
        std::sort(result_.delay_us.begin(), result_.delay_us.end());
        std::sort(result_.first_event_us.begin(), result_.first_event_us.end());
        return std::move(result_);
    }

private:
    Result<Unit> begin(std::size_t index) {
        TRY(clients_[index].socket, connect_to(options_.address));
        epoll_event event{.events = EPOLLIN, .data = {.u64 = index}};
        ::epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, clients_[index].socket.fd(), &event);
        ask(index);
        return Unit{};
    }

    void poll_until(Clock::time_point end) {
        for (auto now = Clock::now(); now < end; now = Clock::now()) {
            epoll_event events[256];
            const std::int64_t left = (end - now).count();
            const timespec wait{left / 1'000'000'000, left % 1'000'000'000};
            const int count = ::epoll_pwait2(epoll_.fd(), events, 256, &wait, nullptr);
            for (int i = 0; i < count; ++i) read(events[i].data.u64);
        }
    }

    void ask(std::size_t index) {
        StreamClient& client = clients_[index];
        client.reader.reset();
        client.in_stamp = false;
        client.tokens = 0;
        client.sent = Clock::now();
        if (!send_all(client.socket.fd(), options_.request)) fail(index, "closed while the request was sent");
    }

    void read(std::size_t index) {
        StreamClient& client = clients_[index];
        char buffer[64 * 1024];
        const ssize_t got = ::recv(client.socket.fd(), buffer, sizeof buffer, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) return fail(index, "cut");
        const std::string_view bytes(buffer, static_cast<std::size_t>(got));
        read_stamps(client, bytes);
        const auto state = client.reader.feed(bytes);
        if (state == AnswerReader::State::Malformed) return fail(index, "malformed");
        if (state != AnswerReader::State::Done) return;
        if (client.reader.status() != 200) return fail(index, "status " + std::to_string(client.reader.status()));
        if (client.tokens != options_.tokens) return fail(index, std::to_string(client.tokens) + " tokens");
        ++result_.streams;
        ask(index);
    }

    // Stamps are "@" and digits, and end at the quote behind them.
    void read_stamps(StreamClient& client, std::string_view bytes) {
        while (!bytes.empty()) {
            if (!client.in_stamp) {
                const auto at = bytes.find('@');
                if (at == std::string_view::npos) return;
                bytes.remove_prefix(at + 1);
                client.in_stamp = true;
                client.stamp.clear();
            }
            const auto end = bytes.find('"');
            client.stamp += bytes.substr(0, end);
            if (end == std::string_view::npos) return;
            bytes.remove_prefix(end);
            client.in_stamp = false;
            note(client);
        }
    }

    void note(StreamClient& client) {
        std::int64_t stamp = 0;
        std::from_chars(client.stamp.data(), client.stamp.data() + client.stamp.size(), stamp);
        const auto now = Clock::now();
        const auto delay = now - Clock::time_point(Clock::duration(stamp));
        if (client.tokens++ == 0 && counting_ && client.sent > counting_from_) {
            result_.first_event_us.push_back(tenths_of_us(now - client.sent));
        }
        if (!counting_) return;
        ++result_.events;
        if (delay > std::chrono::milliseconds(100)) ++result_.stalls;
        result_.delay_us.push_back(tenths_of_us(delay));
    }

    void fail(std::size_t index, const std::string& why) {
        if (result_.broken++ == 0) result_.first_failure = why;
        clients_[index].socket.close();
        if (result_.broken < 1'000) (void)begin(index);
    }

    const StreamOptions& options_;
    Socket epoll_;
    std::vector<StreamClient> clients_;
    Clock::time_point counting_from_;
    bool counting_ = false;
    StreamResult result_;
};

}  // namespace

Result<StreamResult> run_streams(const StreamOptions& options) {
    return Run(options).go();
}

}  // namespace stoker::bench
