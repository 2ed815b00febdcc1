#include "gateway/forward.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "gateway/attempt.h"
#include "net/async.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

using internal::clock_now;

double random_fraction() {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(generator);
}

// One request's way through the replicas of its pool.
class Journey {
public:
    explicit Journey(RequestContext& context) : context_(context), pool_(*context.route->pool) {}

    // The next replica to try; empty if trying on makes no sense. May wait before it gives one that was tried already.
    asio::awaitable<std::optional<std::size_t>> next() {
        if (last_ && !last_->verdict.retry) co_return std::nullopt;
        if (attempts_ >= pool_.retry.max_attempts || clock_now() >= deadline_) co_return std::nullopt;
        auto target = pick_target(pool_, tried_, clock_now());
        if (!target && last_ && worth_waiting()) {
            (void)co_await net::sleep_for(backoff(pool_.retry, waits_++, random_fraction()));
            tried_.clear();
            if (!context_.client_gone()) target = pick_target(pool_, tried_, clock_now());
        }
        if (target) {
            ++attempts_;
            tried_.push_back(*target);
        }
        co_return target;
    }

    void note(AttemptResult result) { last_ = std::move(result); }
    SteadyTime deadline() const { return deadline_; }

    // What to tell the client when no replica would do.
    asio::awaitable<void> give_up() {
        if (context_.client_gone()) co_return context_.settle(Outcome::Cancelled, GatewayError::ClientClosed);
        constexpr Duration kComeBack{2'000};  // Long enough for a replica to be found alive again, or another one.
        net::Headers headers;
        const Duration wait = last_ ? last_->retry_after.value_or(kComeBack) : kComeBack;
        headers.add("retry-after", std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
        if (!last_) {
            co_return co_await context_.refuse(GatewayError::NoReplica,
                                               "no replica of " + context_.route->model + " takes requests now",
                                               std::move(headers));
        }
        std::string message = last_->message + " (attempt " + std::to_string(attempts_) + ", the last)";
        co_await context_.refuse(last_->verdict.error, std::move(message), std::move(headers));
    }

private:
    // The same replica again: not if it asked to be left alone, for then the client should wait and not we.
    bool worth_waiting() const {
        const bool limited = last_->verdict.error == GatewayError::UpstreamRateLimited;
        return !limited && last_->retry_after.value_or(Duration{0}) <= pool_.retry.backoff_max;
    }

    RequestContext& context_;
    const Pool& pool_;
    const SteadyTime deadline_ = context_.received_at() + pool_.deadlines.total;
    std::vector<std::size_t> tried_;
    std::optional<AttemptResult> last_;
    int attempts_ = 0;
    int waits_ = 0;
};

}  // namespace

asio::awaitable<void> forward(RequestContext& context) {
    const std::shared_ptr<const Pool> pool = context.route->pool;
    const SteadyTime body_read_at = clock_now();
    Journey journey(context);
    bool first = true;
    for (;;) {
        const auto target = co_await journey.next();
        if (!target) break;
        auto edited =
            wire::edit_request(context.body, context.scan, pool->targets[*target].engine_model, context.asks_usage);
        context.edited_body = std::move(edited).value_or(std::string());
        if (std::exchange(first, false)) {
            const std::chrono::duration<double> spent = clock_now() - body_read_at;
            context.core().metrics.overhead_before().observe(spent.count());
        }
        Attempt attempt(context, *target, context.edited_body.empty() ? context.body : context.edited_body,
                        journey.deadline());
        auto result = co_await attempt.run();
        if (result.delivered) co_return;
        journey.note(std::move(result));
        if (context.client_gone()) break;
    }
    co_await journey.give_up();
}

}  // namespace stoker::gateway
