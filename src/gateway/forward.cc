#include "gateway/forward.h"

#include <utility>

#include "gateway/admission/admission_stage.h"
#include "gateway/shadow/shadows.h"
#include "gateway/upstream/attempt.h"
#include "gateway/upstream/engine_body.h"
#include "gateway/upstream/hedge.h"
#include "gateway/upstream/journey.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

GiveUp no_place(AdmissionRefusal refusal) {
    GiveUp end;
    end.error = refusal.error;
    end.message = std::move(refusal.message);
    end.retry_after = refusal.retry_after;
    end.cause = FallbackCause::Overloaded;
    return end;
}

// Sends it to this replica, and beside it to another one where the pool hedges.
asio::awaitable<AttemptResult> try_target(RequestContext& context, Journey& journey, std::size_t target,
                                          StreamProgress& progress) {
    edit_for(context, progress, context.route->pool->targets[target], context.upstream_body);
    context.note_first_attempt();
    if (may_hedge(context, progress)) co_return co_await run_hedged(context, journey, target, progress);
    Attempt attempt(context, target, {.deadline = journey.deadline(), .trial = journey.on_trial()}, progress);
    co_return co_await attempt.run();
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
        auto result = co_await try_target(context, journey, *target, progress);
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
    if (!context.inner()) start_shadow(context);
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
