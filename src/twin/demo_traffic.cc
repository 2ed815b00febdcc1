#include "twin/demo_traffic.h"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <future>
#include <numbers>
#include <set>

#include "net/client.h"
#include "twin/load_client.h"

namespace stoker::twin {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kStopLimit{5};
constexpr std::uint64_t kConversations = 32;
constexpr Duration kPause{100};  // Before a closed loop tries again after a failure.

class DemoTrafficImpl : public DemoTraffic {
public:
    DemoTrafficImpl(asio::io_context& loop, DemoTrafficOptions options, net::Url gateway)
        : loop_(loop),
          options_(std::move(options)),
          gateway_(std::move(gateway)),
          random_(options_.seed),
          shape_(options_.trace.empty() ? TrafficShape::conversation(options_.rate > 0 ? options_.rate : 1)
                                        : TrafficShape::replay(options_.trace, options_.rate)),
          client_(net::Client::create(loop)),
          timer_(loop) {}
    ~DemoTrafficImpl() override { stop(); }

    void start() override {
        if (started_.exchange(true)) return;
        if (options_.rate > 0) return spawn(arrive());
        for (std::size_t i = 0; i < options_.max_concurrent; ++i) spawn(repeat());
    }

    void stop() override {
        if (!started_ || stopped_.exchange(true)) return;
        asio::post(loop_, [this] {
            leaving_ = true;
            timer_.cancel();
            for (LoadCancel* request : requests_) request->cancel();
            if (alive_ == 0) end();
        });
        ended_.get_future().wait_for(kStopLimit);
    }

    DemoTrafficStats stats() const override { return {sent_, ok_, failed_, dropped_, completion_tokens_, under_way_}; }

private:
    // Everything below runs on loop_.

    void spawn(asio::awaitable<void> work) {
        asio::dispatch(loop_, [this, moved = std::make_shared<asio::awaitable<void>>(std::move(work))] {
            ++alive_;
            asio::co_spawn(loop_, std::move(*moved), [this](std::exception_ptr) {
                if (--alive_ == 0 && leaving_) end();
            });
        });
    }

    void end() {
        client_.reset();  // On its own loop.
        ended_.set_value();
    }

    // 1 on average, swinging with the time since the start.
    double pace() const {
        double turns = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_) / options_.wave_period;
        return 1 + options_.wave * std::sin(2 * std::numbers::pi * turns);
    }

    asio::awaitable<void> arrive() {
        SteadyTime due = began_ = std::chrono::steady_clock::now();
        while (!leaving_) {
            auto arrival = shape_.next(random_);
            due += Nanos{static_cast<std::int64_t>(static_cast<double>(arrival.gap.count()) / std::max(0.05, pace()))};
            timer_.expires_at(due);
            co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
            if (leaving_) co_return;
            if (under_way_ < options_.max_concurrent) {
                spawn(send(arrival));
            } else {
                ++dropped_;
            }
        }
    }

    asio::awaitable<void> repeat() {
        while (!leaving_) {
            const auto failed_before = failed_.load();
            co_await send(shape_.next(random_));
            if (leaving_ || failed_ == failed_before) continue;
            asio::steady_timer pause(loop_, kPause);
            co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    LoadRequest request_for(const TrafficShape::Arrival& arrival) {
        LoadRequest request;
        request.model = options_.models[sent_ % options_.models.size()];
        request.prompt_tokens = std::min(arrival.prompt_tokens, options_.max_prompt_tokens);
        request.output_tokens = std::min(arrival.output_tokens, options_.max_output_tokens);
        request.ignore_eos = true;
        request.stream = std::uniform_real_distribution<double>(0, 1)(random_) < options_.streamed;
        request.conversation = random_() % kConversations;
        request.bearer = options_.bearer;
        return request;
    }

    asio::awaitable<void> send(TrafficShape::Arrival arrival) {
        LoadRequest request = request_for(arrival);
        ++sent_;
        ++under_way_;
        LoadCancel cancel;
        requests_.insert(&cancel);
        LoadOutcome outcome = co_await run_load_request(*client_, gateway_, std::move(request), &cancel);
        requests_.erase(&cancel);
        --under_way_;
        if (leaving_) co_return;
        ++(outcome.ok() ? ok_ : failed_);
        completion_tokens_ += static_cast<std::uint64_t>(outcome.completion_tokens);
    }

    asio::io_context& loop_;
    const DemoTrafficOptions options_;
    const net::Url gateway_;
    std::atomic<bool> started_{false};
    std::atomic<bool> stopped_{false};
    std::promise<void> ended_;
    std::atomic<std::uint64_t> sent_{0};
    std::atomic<std::uint64_t> ok_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<std::uint64_t> completion_tokens_{0};
    std::atomic<std::uint64_t> under_way_{0};

    // Touched only on loop_.
    std::mt19937_64 random_;
    TrafficShape shape_;
    std::unique_ptr<net::Client> client_;
    asio::steady_timer timer_;
    std::set<LoadCancel*> requests_;
    SteadyTime began_{};
    std::size_t alive_ = 0;
    bool leaving_ = false;
};

}  // namespace

Result<std::unique_ptr<DemoTraffic>> DemoTraffic::create(asio::io_context& loop, DemoTrafficOptions options) {
    TRY(net::Url gateway, net::parse_url(options.gateway));
    if (options.models.empty()) return Error{Errc::InvalidArgument, "demo traffic needs a model to ask for"};
    return std::unique_ptr<DemoTraffic>(
        std::make_unique<DemoTrafficImpl>(loop, std::move(options), std::move(gateway)));
}

}  // namespace stoker::twin
