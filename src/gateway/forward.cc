#include "gateway/forward.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "gateway/admission/admission_stage.h"
#include "gateway/balance/affinity.h"
#include "gateway/balance/balance.h"
#include "gateway/route/stored_response.h"
#include "gateway/upstream/attempt.h"
#include "net/async.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

using internal::clock_now;

double random_fraction() {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(generator);
}

// Why a step of the plan did not answer: what to tell the client if no other step does.
struct GiveUp {
    GatewayError error{};
    std::string message;
    Duration retry_after{2'000};  // Long enough for a replica to be found alive again, or another one.
    std::optional<FallbackCause> cause;
    std::optional<HeldAnswer> held;  // The model's own answer, which is told instead.
};

GiveUp no_place(AdmissionRefusal refusal) {
    GiveUp end;
    end.error = refusal.error;
    end.message = std::move(refusal.message);
    end.retry_after = refusal.retry_after;
    end.cause = FallbackCause::Overloaded;
    return end;
}

// One request's way through the replicas of one step's pool.
class Journey {
public:
    Journey(RequestContext& context, const StreamProgress& progress)
        : context_(context), pool_(*context.route->pool), progress_(progress) {}

    // The next replica to try; empty if trying on makes no sense. May wait before it gives one that was tried already.
    asio::awaitable<std::optional<std::size_t>> next() {
        if (last_ && !last_->verdict.retry) co_return std::nullopt;
        if (context_.body_spent()) co_return std::nullopt;
        if (attempts_ >= pool_.retry.max_attempts || clock_now() >= deadline_) co_return std::nullopt;
        auto target = pick();
        if (!target && last_ && worth_waiting()) {
            (void)co_await net::sleep_for(backoff(pool_.retry, waits_++, random_fraction()));
            tried_.clear();
            if (!context_.client_gone()) target = pick();
        }
        if (target) {
            ++attempts_;
            tried_.push_back(*target);
        }
        co_return target;
    }

    void note(AttemptResult result) { last_ = std::move(result); }
    // The answer that was under way goes on elsewhere: as a request of its own, but not on the replica that broke off.
    void go_on(AttemptResult result) {
        note(std::move(result));
        tried_.erase(tried_.begin(), tried_.end() - 1);
        attempts_ = 0;
    }
    SteadyTime deadline() const { return deadline_; }

    GiveUp give_up() {
        if (!last_) {
            return {.error = GatewayError::NoReplica,
                    .message = "no replica of " + context_.route->model + " takes requests now",
                    .cause = FallbackCause::Down,
                    .held = {}};
        }
        GiveUp end{.error = last_->verdict.error,
                   .message = last_->message + " (attempt " + std::to_string(attempts_) + ", the last)",
                   .cause = last_->cause.value_or(cause_of(last_->verdict.error)),
                   .held = std::move(last_->held)};
        end.retry_after = last_->retry_after.value_or(end.retry_after);
        return end;
    }

private:
    std::optional<std::size_t> pick() const {
        std::vector<std::size_t> excluded = tried_;
        for (std::size_t i = 0; progress_.begun && i < pool_.targets.size(); ++i) {
            if (!can_continue(context_, pool_.targets[i])) excluded.push_back(i);
        }
        if (const auto keeper = keeper_of_conversation(context_, pool_)) {
            std::vector<std::size_t> others = excluded;
            for (std::size_t i = 0; i < pool_.targets.size(); ++i) {
                if (i != *keeper) others.push_back(i);
            }
            if (const auto target = pick_among(others)) return target;
        }
        return pick_among(excluded);
    }

    std::optional<std::size_t> pick_among(const std::vector<std::size_t>& excluded) const {
        const auto picked = pick_target(pool_, {.tried = excluded,
                                                .now = clock_now(),
                                                .model = context_.scan.model,
                                                .prompt = context_.scan.prompt_value.of(context_.body),
                                                .session = session_of(context_),
                                                .max_tokens = context_.scan.max_tokens.value_or(0),
                                                .stream = context_.scan.stream});
        if (!picked) return {};
        context_.estimate = picked->estimate;
        return picked->target;
    }

    static FallbackCause cause_of(GatewayError error) {
        const bool overloaded = error == GatewayError::UpstreamRateLimited || error == GatewayError::UpstreamOverloaded;
        return overloaded ? FallbackCause::Overloaded : FallbackCause::Down;
    }

    // The same replica again: not if it asked to be left alone, for then the client should wait and not we.
    bool worth_waiting() const {
        const bool limited = last_->verdict.error == GatewayError::UpstreamRateLimited;
        return !limited && last_->retry_after.value_or(Duration{0}) <= pool_.retry.backoff_max;
    }

    RequestContext& context_;
    const Pool& pool_;
    const StreamProgress& progress_;
    const SteadyTime deadline_ = context_.received_at() + pool_.deadlines.total;
    std::vector<std::size_t> tried_;
    std::optional<AttemptResult> last_;
    int attempts_ = 0;
    int waits_ = 0;
};

// Makes the request what this replica gets.
void edit_for(RequestContext& context, const StreamProgress& progress, const Target& target) {
    const std::string& own_name = target.engine_model.empty() ? context.route->upstream_model : target.engine_model;
    if (!progress.begun) {
        context.upstream_body.assign(context.body, wire::request_edits(context.scan, own_name, context.asks_usage));
        return;
    }
    const auto scan = wire::scan_request(progress.body);
    context.upstream_body.assign(progress.body,
                                 scan ? wire::request_edits(*scan, own_name, context.asks_usage) : wire::BodyEdits{});
}

// Tries the replicas of the step that the request is at. Empty when the request is settled.
asio::awaitable<std::optional<GiveUp>> try_step(RequestContext& context) {
    const std::shared_ptr<const Pool> pool = context.route->pool;
    StreamProgress progress;
    Journey journey(context, progress);
    AdmissionPlace place(context);
    if (pool->admission->gate.active()) {
        auto refusal = co_await place.take(journey.deadline());
        if (refusal) co_return no_place(*std::move(refusal));
    }
    for (;;) {
        const auto target = co_await journey.next();
        if (!target) break;
        edit_for(context, progress, pool->targets[*target]);
        context.note_first_attempt();
        Attempt attempt(context, *target, journey.deadline(), progress);
        auto result = co_await attempt.run();
        if (result.delivered) co_return std::nullopt;
        if (context.client_gone()) break;
        if (!result.interrupted) {
            journey.note(std::move(result));
            continue;
        }
        if (!result.verdict.retry) break;
        const Continuation how = prepare_continuation(context, progress);
        if (how == Continuation::Complete) {
            co_await end_complete(context, progress);
            co_return std::nullopt;
        }
        if (how == Continuation::Barred) break;
        journey.go_on(std::move(result));
    }
    if (!progress.begun) co_return journey.give_up();
    co_await end_broken(context, progress);
    co_return std::nullopt;
}

bool takes(const RouteStep& step, const GiveUp& end) {
    return end.cause && step.after.has(*end.cause);
}

asio::awaitable<void> tell(RequestContext& context, GiveUp end) {
    if (context.client_gone()) co_return context.settle(Outcome::Cancelled, GatewayError::ClientClosed);
    net::Headers headers;
    headers.add("retry-after", std::to_string(std::chrono::ceil<std::chrono::seconds>(end.retry_after).count()));
    co_await context.refuse(end.error, std::move(end.message), std::move(headers));
}

// No fallback did better: the client gets what was held back.
asio::awaitable<void> tell_held(RequestContext& context, const RouteStep& step, HeldAnswer held) {
    context.return_to(step, held.target);
    context.take_facts(held.facts);
    held.response.headers.set("x-stoker-attempts", std::to_string(context.marks().attempts));
    co_await context.respond(std::move(held.response));
}

}  // namespace

asio::awaitable<void> forward(RequestContext& context) {
    std::optional<GiveUp> end;
    std::optional<HeldAnswer> held;  // The first: what the model said that the client asked for.
    const RouteStep* held_by = nullptr;
    for (const RouteStep& step : context.plan.steps) {
        if (end && (!takes(step, *end) || context.client_gone() || context.body_spent())) continue;
        context.take_step(step);
        auto ended = co_await try_step(context);
        if (!ended) co_return;
        end = std::move(ended);
        if (end->held && !held) {
            held = std::move(end->held);
            held_by = &step;
        }
    }
    if (held && !context.client_gone()) co_return co_await tell_held(context, *held_by, *std::move(held));
    co_await tell(context, *std::move(end));
}

}  // namespace stoker::gateway
