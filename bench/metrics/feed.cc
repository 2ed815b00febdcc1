#include "feed.h"

#include <snappy.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "fleet.h"
#include "http.h"

namespace stoker::bench {

namespace {

using Clock = std::chrono::steady_clock;

void append_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

void append_field(std::string& out, int number, std::string_view bytes) {
    out += static_cast<char>(number << 3 | 2);
    append_varint(out, bytes.size());
    out += bytes;
}

// The Label messages of a TimeSeries: the same in every request, so made once.
std::string encode_labels(const FleetSeries& series, std::uint32_t generation) {
    std::string out;
    for (const auto& [name, value] : labels_of(series, generation)) {
        if (value.empty()) continue;
        std::string label;
        append_field(label, 1, name);
        append_field(label, 2, value);
        append_field(out, 1, label);
    }
    return out;
}

void append_sample(std::string& out, double value, std::int64_t time) {
    std::string sample(1, '\x09');
    char bytes[8];
    std::memcpy(bytes, &value, 8);
    sample.append(bytes, 8);
    sample += '\x10';
    append_varint(sample, static_cast<std::uint64_t>(time));
    append_field(out, 2, sample);
}

struct Sent {
    const FleetSeries* series;
    std::string labels;
    Walk walk;
};

// One connection and the series that go over it.
class Sender {
public:
    Sender(const FeedOptions& options, std::vector<Sent> series)
        : options_(options), series_(std::move(series)), http_(options.address) {}

    void step(std::size_t number) {
        const std::int64_t time = options_.start + static_cast<std::int64_t>(number) * options_.interval;
        std::string request;
        std::string one;
        std::size_t held = 0;
        for (Sent& sent : series_) {
            if (options_.churn && sent.series->machine % options_.steps == number) {
                sent.labels = encode_labels(*sent.series, options_.generation + 1);
            }
            one = sent.labels;
            append_sample(one, sent.walk.next(), time);
            append_field(request, 1, one);
            if (++held == options_.batch) {
                send(request);
                held = 0;
            }
        }
        if (held > 0) send(request);
        result.samples += series_.size();
    }

    FeedResult result;

private:
    void send(std::string& request) {
        std::string packed;
        snappy::Compress(request.data(), request.size(), &packed);
        request.clear();
        const auto began = Clock::now();
        const Answer answer = http_.post(options_.path,
                                         "Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n"
                                         "X-Prometheus-Remote-Write-Version: 0.1.0\r\n",
                                         packed);
        result.busy_seconds += std::chrono::duration<double>(Clock::now() - began).count();
        if (answer.status / 100 != 2) {
            throw std::runtime_error("status " + std::to_string(answer.status) + ": " + answer.body.substr(0, 300));
        }
        ++result.requests;
        result.bytes += packed.size();
    }

    const FeedOptions& options_;
    std::vector<Sent> series_;
    Http http_;
};

}  // namespace

FeedResult feed(const FeedOptions& options) {
    std::vector<FleetSeries> fleet = make_fleet(options.series, options.first_machine);
    std::vector<std::vector<Sent>> shares(options.senders);
    for (std::size_t i = 0; i < fleet.size(); ++i) {
        shares[i * options.senders / fleet.size()].push_back(
            {&fleet[i], encode_labels(fleet[i], options.generation), Walk(fleet[i], i + 1)});
    }
    std::vector<std::unique_ptr<Sender>> senders;
    senders.reserve(shares.size());
    for (auto& share : shares) senders.push_back(std::make_unique<Sender>(options, std::move(share)));

    std::barrier together(static_cast<std::ptrdiff_t>(senders.size()));  // No series runs ahead of the others.
    std::mutex mutex;
    std::exception_ptr failure;
    std::atomic<bool> failed{false};
    const auto began = Clock::now();
    std::vector<std::thread> threads;
    for (const auto& sender : senders) {
        threads.emplace_back([&] {
            for (std::size_t step = 0; step < options.steps; ++step) {
                try {
                    if (!failed) sender->step(step);
                } catch (...) {
                    const std::lock_guard lock(mutex);
                    failure = std::current_exception();
                    failed = true;
                }
                together.arrive_and_wait();
            }
        });
    }
    for (auto& thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
    FeedResult all;
    all.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    for (const auto& sender : senders) {
        all.samples += sender->result.samples;
        all.requests += sender->result.requests;
        all.bytes += sender->result.bytes;
        all.busy_seconds += sender->result.busy_seconds;
    }
    return all;
}

}  // namespace stoker::bench
