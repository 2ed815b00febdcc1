#include "twin/fault_schedule.h"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>

#include "net/client.h"
#include "twin/faults.h"

namespace stoker::twin {
namespace {

namespace asio = boost::asio;

// One exchange with an engine on this machine; it also bounds how long stop() waits.
constexpr Duration kAnswerLimit{1'000};
constexpr std::chrono::seconds kStopLimit{5};
constexpr std::size_t kMaxAnswer = 64 * 1024;

class FaultScheduleImpl : public FaultSchedule {
public:
    FaultScheduleImpl(asio::io_context& loop, FaultScheduleOptions options, std::vector<net::Url> engines)
        : loop_(loop),
          options_(std::move(options)),
          engines_(std::move(engines)),
          client_(net::Client::create(loop)),
          timer_(loop) {}
    ~FaultScheduleImpl() override { stop(); }

    void start() override {
        if (started_.exchange(true)) return;
        asio::co_spawn(loop_, run(), [this](std::exception_ptr) {
            client_.reset();  // On its own loop.
            ended_.set_value();
        });
    }

    void stop() override {
        if (!started_ || stopped_.exchange(true)) return;
        asio::post(loop_, [this] { timer_.cancel(); });
        ended_.get_future().wait_for(kStopLimit);
    }

private:
    asio::awaitable<void> run() {
        timer_.expires_after(options_.first);
        for (std::size_t turn = 0; !stopped_; ++turn) {
            co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
            if (stopped_) co_return;
            co_await set(turn % engines_.size(), options_.faults[turn % options_.faults.size()]);
            timer_.expires_after(options_.every);
        }
    }

    asio::awaitable<void> set(std::size_t engine, std::string fault) {
        net::Url url = engines_[engine];
        url.path = "/sim/faults";
        net::Headers headers = {{"Content-Type", "application/json"}};
        net::Deadlines deadlines{.connect = kAnswerLimit, .head = kAnswerLimit, .between = kAnswerLimit};
        auto answer = co_await net::fetch(*client_, url, "POST", headers, fault, deadlines, kMaxAnswer);
        if (!options_.on_fault) co_return;
        std::string error = answer ? "" : answer.error().message;
        if (answer && answer->status != 200) error = "status " + std::to_string(answer->status);
        options_.on_fault(options_.engines[engine], fault, error);
    }

    asio::io_context& loop_;
    const FaultScheduleOptions options_;
    const std::vector<net::Url> engines_;
    std::atomic<bool> started_{false};
    std::atomic<bool> stopped_{false};
    std::promise<void> ended_;

    // Touched only on loop_.
    std::unique_ptr<net::Client> client_;
    asio::steady_timer timer_;
};

}  // namespace

const std::vector<std::string>& usual_faults() {
    // A hang has no end of its own: the one who heals restarts the engine, which forgets its faults.
    static const std::vector<std::string> faults = {
        R"({"kind":"crash"})",
        R"({"kind":"hang"})",
        R"({"kind":"latency_ramp","to":8,"over":"20s","for":"75s"})",
        R"({"kind":"error_rate","status":500,"probability":0.6,"for":"45s"})",
        R"({"kind":"kv_exhausted","share":0.95,"for":"60s"})",
        R"({"kind":"cut_stream","after_tokens":8,"probability":0.5,"for":"45s"})",
    };
    return faults;
}

Result<std::unique_ptr<FaultSchedule>> FaultSchedule::create(asio::io_context& loop, FaultScheduleOptions options) {
    if (options.engines.empty()) return Error{Errc::InvalidArgument, "a fault schedule needs an engine"};
    std::vector<net::Url> engines;
    for (const auto& engine : options.engines) {
        TRY(net::Url url, net::parse_url(engine));
        engines.push_back(std::move(url));
    }
    if (options.faults.empty()) options.faults = usual_faults();
    for (const auto& fault : options.faults) {
        auto parsed = parse_fault(fault);
        if (!parsed) return std::move(parsed).error().context("fault " + fault);
    }
    return std::unique_ptr<FaultSchedule>(
        std::make_unique<FaultScheduleImpl>(loop, std::move(options), std::move(engines)));
}

}  // namespace stoker::twin
