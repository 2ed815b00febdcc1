#include "gateway/upstream/journey.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <utility>

#include "gateway/balance/affinity.h"
#include "gateway/balance/balance.h"
#include "gateway/route/stored_response.h"
#include "gateway/upstream/hedge.h"
#include "net/async.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

using internal::clock_now;

double random_fraction() {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(generator);
}

FallbackCause cause_of(GatewayError error) {
    const bool overloaded = error == GatewayError::UpstreamRateLimited || error == GatewayError::UpstreamOverloaded;
    return overloaded ? FallbackCause::Overloaded : FallbackCause::Down;
}

}  // namespace

Journey::Journey(RequestContext& context, const StreamProgress& progress)
    : context_(context),
      pool_(*context.route->pool),
      progress_(progress),
      deadline_(context.received_at() + context.route->deadlines.total) {
    pool_.retry_budget->note_request(clock_now());
}

// A request to which two replicas said 500 is to blame itself.
Journey::~Journey() {
    const bool one = std::all_of(suspects_.begin(), suspects_.end(),
                                 [this](const auto& suspect) { return suspect == suspects_.front(); });
    if (suspects_.empty() || !one) return;
    const auto& replica = suspects_.front();
    context_.core().publish(replica, replica->confirm_fault("http_500", clock_now()));
}

asio::awaitable<std::optional<std::size_t>> Journey::next() {
    if (last_ && !last_->verdict.retry) co_return std::nullopt;
    if (context_.body_spent()) co_return std::nullopt;
    if (attempts_ >= pool_.retry.max_attempts || clock_now() >= deadline_) co_return std::nullopt;
    if (last_ && all_tried() && !worth_waiting()) co_return std::nullopt;
    if (!within_budget()) co_return std::nullopt;
    auto target = pick();
    if (!target && rest_ && !last_) {
        co_await wait_for_rested();
        if (!context_.client_gone()) target = pick();
    }
    if (!target && last_ && worth_waiting()) {
        const Duration pause = wait();
        if (clock_now() + pause >= deadline_) co_return std::nullopt;
        (void)co_await net::sleep_for(pause);
        tried_.clear();
        if (!context_.client_gone()) target = pick();
    }
    if (target) {
        ++attempts_;
        tried_.push_back(*target);
    }
    co_return target;
}

void Journey::note(AttemptResult result) {
    constexpr int kMayBeTheRequests = 500;
    if (result.status == kMayBeTheRequests && result.verdict.replica_fault) {
        suspects_.push_back(pool_.targets[result.target].replica);
    }
    last_ = std::move(result);
}

void Journey::go_on(AttemptResult result) {
    tried_.assign(1, result.target);
    note(std::move(result));
    attempts_ = 0;
}

GiveUp Journey::give_up() {
    if (!last_) return rest_ ? all_rest() : nobody_serves();
    GiveUp end{.error = last_->verdict.error,
               .message = last_->message + " (attempt " + std::to_string(attempts_) + ", the last" +
                          (out_of_budget_ ? ": the pool's budget for retries is spent)" : ")"),
               .cause = last_->cause.value_or(cause_of(last_->verdict.error)),
               .held = std::move(last_->held)};
    end.retry_after = last_->retry_after.value_or(end.retry_after);
    return end;
}

// They said when to come again: what is asked before then would only be refused, and make it worse.
GiveUp Journey::all_rest() const {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(rest_->left);
    return {.error = rest_->rate_limited ? GatewayError::UpstreamRateLimited : GatewayError::UpstreamOverloaded,
            .message = "every replica of " + context_.route->model +
                       " that serves asked to be left alone, the shortest for " + std::to_string(seconds.count()) +
                       " s more",
            .retry_after = rest_->left,
            .cause = FallbackCause::Overloaded,
            .held = {}};
}

// Where requests wait for a place, they wait for this too, if it fits their time.
asio::awaitable<void> Journey::wait_for_rested() {
    const AdmissionGate& gate = pool_.admission->gate;
    if (!gate.active()) co_return;
    const Duration own = context_.route->deadlines.queue;
    const SteadyTime began = clock_now();
    const SteadyTime until = began + rest_->left;
    if (rest_->left > (own > Duration{0} ? own : gate.timeout()) || until >= deadline_) co_return;
    asio::steady_timer timer(co_await asio::this_coro::executor, until);
    context_.when_client_leaves = [&timer]() { timer.cancel(); };
    if (!context_.client_gone()) (void)co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    context_.when_client_leaves = nullptr;
    context_.note_queued(clock_now() - began);
}

GiveUp Journey::nobody_serves() const {
    GiveUp end{.error = GatewayError::NoReplica,
               .message = "no replica of " + context_.route->model + " takes requests now",
               .cause = FallbackCause::Down,
               .held = {}};
    std::optional<SteadyTime> soonest;
    for (const Target& target : pool_.targets) {
        const auto at = target.replica->trial_at();
        if (at && (!soonest || *at < *soonest)) soonest = at;
    }
    if (!soonest) return end;
    end.message += ": their requests failed, so they are left alone for a while";
    end.retry_after = std::max<Duration>(std::chrono::ceil<Duration>(*soonest - clock_now()), std::chrono::seconds{1});
    return end;
}

std::optional<std::size_t> Journey::second() {
    if (hedged_) return {};
    std::vector<std::size_t> excluded = unfit();
    const SteadyTime now = clock_now();
    std::size_t fit = 0;
    for (std::size_t i = 0; i < pool_.targets.size(); ++i) {
        const Replica& replica = *pool_.targets[i].replica;
        const bool lacks = !context_.adapter().empty() && !pool_.targets[i].has_adapter(context_.adapter());
        if (lacks || !replica.serving() || replica.resting(now) || replica.limited(now)) excluded.push_back(i);
        if (std::find(excluded.begin(), excluded.end(), i) == excluded.end()) ++fit;
    }
    if (fit == 0) return {};
    hedged_ = true;
    if (!pool_.hedging->budget.take(now)) {
        context_.core().metrics.count_hedge(pool_.name, "no_budget");
        return {};
    }
    const auto target = pick_among(std::move(excluded));
    if (target) tried_.push_back(*target);
    return target;
}

// Those that can't be sent this request, or were already.
std::vector<std::size_t> Journey::unfit() const {
    std::vector<std::size_t> excluded = tried_;
    for (std::size_t i = 0; progress_.begun && i < pool_.targets.size(); ++i) {
        if (!can_continue(context_, pool_.targets[i])) excluded.push_back(i);
    }
    return excluded;
}

std::optional<std::size_t> Journey::pick() {
    rest_.reset();
    std::vector<std::size_t> excluded = unfit();
    if (const auto keeper = keeper_of_conversation(context_, pool_)) {
        std::vector<std::size_t> others = excluded;
        for (std::size_t i = 0; i < pool_.targets.size(); ++i) {
            if (i != *keeper) others.push_back(i);
        }
        if (const auto target = pick_among(std::move(others))) return target;
    }
    return pick_among(std::move(excluded));
}

void Journey::note_rest() {
    const SteadyTime now = clock_now();
    for (const Target& target : pool_.targets) {
        const Replica& replica = *target.replica;
        const Duration left = replica.rest_left(now);
        if (!replica.serving() || left <= Duration{0} || (rest_ && rest_->left <= left)) continue;
        rest_ = Rest{left, replica.rate_limited()};
    }
}

std::optional<std::size_t> Journey::pick_among(std::vector<std::size_t> excluded) {
    for (;;) {
        const SteadyTime now = clock_now();
        const auto picked = pick_target(pool_, {.tried = excluded,
                                                .now = now,
                                                .model = context_.scan.model,
                                                .adapter = context_.adapter(),
                                                .prompt = context_.scan.prompt_value.of(context_.body),
                                                .session = session_of(context_),
                                                .max_tokens = context_.scan.max_tokens.value_or(0),
                                                .stream = context_.scan.stream});
        if (!picked) return {};
        Replica& replica = *pool_.targets[picked->target].replica;
        // It is chosen only where all rest that serve. What was begun is gone on with all the same: that is one
        // request.
        if (replica.serving() && replica.resting(now) && !progress_.begun) {
            note_rest();
            return {};
        }
        const bool due = replica.trial_due(now);
        trial_ = due && replica.claim_trial(now);
        if (due && !trial_) {  // Another loop was faster; there is one trial only.
            excluded.push_back(picked->target);
            continue;
        }
        context_.estimate = picked->estimate;
        return picked->target;
    }
}

// The same replica again: not if it asked to be left alone, for then the client should wait and not we.
bool Journey::worth_waiting() const {
    const bool limited = last_->verdict.error == GatewayError::UpstreamRateLimited;
    return !limited && last_->retry_after.value_or(Duration{0}) <= pool_.retry.backoff_max;
}

// What goes on with an answer is no retry: it was promised, and pool.continuation bounds it.
bool Journey::within_budget() {
    if (!last_ || progress_.begun) return true;
    out_of_budget_ = !pool_.retry_budget->take(clock_now());
    context_.core().metrics.count_retry(pool_.name, out_of_budget_ ? "no_budget" : "sent");
    return !out_of_budget_;
}

Duration Journey::wait() {
    const Duration pause = backoff(pool_.retry, waits_++, random_fraction());
    return std::max(pause, last_->retry_after.value_or(Duration{0}));
}

}  // namespace stoker::gateway
