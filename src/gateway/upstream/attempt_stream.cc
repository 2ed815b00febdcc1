// The part of an attempt that passes on a stream of events.
#include <utility>

#include "gateway/admission/admission_stage.h"
#include "gateway/hooks/scan_content.h"
#include "gateway/route/stored_response.h"
#include "gateway/upstream/attempt.h"

namespace stoker::gateway {
namespace asio = boost::asio;
using internal::clock_now;
using internal::kReplicaLost;
namespace {

// The usage event of a stream that is whole but for it; empty if it came, or nobody asked for it.
std::string usage_that_lacks(RequestContext& context, const StreamProgress& progress, const StreamRelay& relay) {
    if (relay.facts().usage) return {};
    const AnswerFacts facts = joined(progress.facts, relay.facts());
    context.take_facts(facts);
    const bool first = progress.identity.id.empty() && !relay.first_event().empty();
    return missing_usage(context, first ? wire::read_identity(relay.first_event()) : progress.identity,
                         facts.content_events);
}

}  // namespace

// By when the next piece must come: until the stream flows its first byte is due, then the next event.
SteadyTime Attempt::stream_deadline(const StreamRelay& relay) const {
    const SteadyTime due = relay.state() == StreamRelay::State::Holding ? sent_at_ + first_token_limit()
                                                                        : relay.last_event() + limits_.between;
    return std::min(due, deadline_);
}

asio::awaitable<AttemptResult> Attempt::relay_events() {
    const auto scanner = scan_answer_of(context_, AnswerSource::Engine);
    StreamRelay relay({.dialect = context_.endpoint.dialect,
                       .hide_usage = context_.asks_usage,
                       .max_event_bytes = context_.core().options.max_event_bytes,
                       .inter_token_latency = active_.series->inter_token_latency,
                       .keep_text = may_continue(context_),
                       .splice = progress_.splice ? &*progress_.splice : nullptr,
                       .scanner = scanner.get()});
    const std::int64_t before = progress_.begun ? progress_.answer.tokens : 0;
    auto result = co_await pass_events(relay);
    context_.enter_tokens(active_, relay.facts(), true, before);
    if (result.delivered && context_.client_gone()) {
        const std::int64_t seen = relay.facts().content_events;
        context_.note_attempt_tokens(active_, delivered_events_, seen - delivered_events_, internal::kClientLeft);
    }
    co_return result;
}

asio::awaitable<AttemptResult> Attempt::pass_events(StreamRelay& relay) {
    while (true) {
        const auto wait = std::chrono::ceil<Duration>(stream_deadline(relay) - clock_now());
        if (wait <= Duration{0}) {
            co_return co_await break_stream(relay, GatewayError::StreamStalled,
                                            "the replica sent nothing of use in time");
        }
        call_->set_between(wait);
        const auto piece = co_await call_->read_some();
        if (!piece) {
            const net::Fault fault = net::fault_of(piece.error());
            if (lost_) co_return lost();
            if (active_.cut) co_return co_await break_stream(relay, *active_.cut, active_.cut_reason);
            if (fault == net::Fault::BodyTimeout) co_return co_await break_silent_stream(relay);
            co_return co_await break_stream(relay, GatewayError::StreamCut, std::string(describe(fault)));
        }
        const SteadyTime now = clock_now();
        turn_.progress(now);
        const auto state = piece->empty() ? relay.end_of_body() : relay.feed(*piece, now);
        const std::string_view last = wire::last_event(context_.endpoint.dialect);
        if (piece->empty() && state == StreamRelay::State::Done && relay.out().ends_with(last)) {  // It was supplied.
            relay.out().insert(relay.out().size() - last.size(), usage_that_lacks(context_, progress_, relay));
        }
        if (state == StreamRelay::State::Holding) continue;
        if (state == StreamRelay::State::Failed) {
            co_return co_await break_stream(relay, relay.failure().error, relay.failure().message);
        }
        turn_.flow(now);
        context_.core().publish(target_.replica, turn_.prove(now));
        if (!context_.exchange().started()) {
            const bool mine = claim();
            if (!mine) co_return lost_content(relay);
            note_first_token(context_, now - sent_at_);
            const bool begun = co_await start_answer();
            if (!begun) co_return client_left();
            note_response(context_, relay.first_event());
        }
        if (state == StreamRelay::State::Done) co_return co_await end_stream(relay);
        const bool sent = co_await send_on(relay.out());
        if (!sent) {
            context_.take_facts(joined(progress_.facts, relay.facts()));
            co_return client_left();
        }
        delivered_events_ = relay.facts().content_events;
        relay.out().clear();
    }
}

// Another attempt's content came before this one's, in the same moment.
AttemptResult Attempt::lost_content(const StreamRelay& relay) {
    context_.note_attempt_tokens(active_, 0, relay.facts().content_events, internal::kHedge);
    return lost();
}

// What this attempt gave the client, which `progress_` does not hold yet.
void Attempt::note_tokens(const StreamRelay& relay) {
    const AnswerFacts& facts = relay.facts();
    const bool counted = facts.usage && facts.usage->completion_tokens >= progress_.answer.tokens;
    context_.note_attempt_tokens(
        active_, counted ? facts.usage->completion_tokens - progress_.answer.tokens : facts.content_events, 0);
    if (progress_.begun && facts.usage) {
        context_.core().metrics.count_wasted(pool_.name, "prompt", "continuation",
                                             facts.usage->prompt_tokens + progress_.answer.tokens);
    }
}

asio::awaitable<AttemptResult> Attempt::break_silent_stream(StreamRelay& relay) {
    const bool over = clock_now() >= deadline_;
    co_return co_await break_stream(
        relay, over ? GatewayError::UpstreamTimeout : GatewayError::StreamStalled,
        over ? "the request took longer than its whole deadline" : "the replica sent nothing of use for too long");
}

asio::awaitable<AttemptResult> Attempt::end_stream(StreamRelay& relay) {
    context_.take_facts(joined(progress_.facts, relay.facts()));
    note_tokens(relay);
    if (context_.client_gone()) co_return client_left();
    const std::string last = std::exchange(relay.out(), {});
    context_.count_response_bytes(last.size());
    auto result = delivered(Outcome::Ok, status_, "", "");
    conclude();
    context_.account();
    auto sent = co_await context_.exchange().write(last);
    if (sent) sent = co_await context_.exchange().finish();
    if (sent) co_await drain_upstream();
    co_return result;
}

// After [DONE] only the end of the body is missing; with it the connection can be used again.
asio::awaitable<void> Attempt::drain_upstream() {
    constexpr Duration kPatience{50};
    constexpr int kMostPieces = 4;
    call_->set_between(kPatience);
    for (int i = 0; i < kMostPieces; ++i) {
        const auto piece = co_await call_->read_some();
        if (!piece || piece->empty()) co_return;
    }
}

// The engine refused the request by an event instead of a status; the client gets the status.
asio::awaitable<AttemptResult> Attempt::refuse_with(const RelayFailure& failure) {
    net::Response refusal{failure.upstream_status,
                          {},
                          refusal_json(context_.endpoint.dialect, failure.upstream_status, failure.upstream_body)};
    refusal.headers.add("content-type", "application/json");
    add_marks(refusal.headers, context_.marks());
    const auto cause = internal::cause_of_refusal(refusal.status, refusal.body);
    if (cause && context_.has_fallback(*cause)) co_return hold(*cause, std::move(refusal));
    cause_ = info(failure.error).code;
    co_await context_.respond(std::move(refusal));
    AttemptResult result;
    result.delivered = true;
    co_return result;
}

// The stream can't be trusted any more. Before the client's first byte that is for the next attempt to make good.
asio::awaitable<AttemptResult> Attempt::break_stream(StreamRelay& relay, GatewayError error, std::string message) {
    const bool failed_itself = relay.state() == StreamRelay::State::Failed;
    if (error == GatewayError::ClientClosed) {
        context_.take_facts(joined(progress_.facts, relay.facts()));
        co_return client_left();
    }
    if (context_.exchange().started()) co_return co_await interrupt_stream(relay, error, std::move(message));
    if (error == GatewayError::ContentBlocked) {
        const bool mine = claim();
        if (!mine) co_return lost();
        co_return co_await block_answer(std::move(message));
    }
    const Verdict verdict = judge_stream(error, failed_itself ? relay.failure().upstream_status : 0);
    if (verdict.retry) {
        context_.note_attempt_tokens(active_, 0, relay.facts().content_events);
        co_return fail(verdict, std::move(message), active_.cut ? kReplicaLost : info(error).code);
    }
    const bool mine = claim();
    if (!mine) co_return lost();
    co_return co_await refuse_with(relay.failure());
}

// After it, the client gets all that came whole; how it goes on from there is for the caller.
asio::awaitable<AttemptResult> Attempt::interrupt_stream(StreamRelay& relay, GatewayError error, std::string message) {
    call_->cancel();
    if (relay.whole() && error != GatewayError::StreamError &&
        error != GatewayError::ContentBlocked) {  // Nothing is missing but the end.
        relay.out() += usage_that_lacks(context_, progress_, relay);
        relay.complete();
        co_return co_await end_stream(relay);
    }
    const bool sent = co_await send_on(relay.out());
    if (!sent) {
        context_.take_facts(joined(progress_.facts, relay.facts()));
        co_return client_left();
    }
    note_tokens(relay);
    progress_.take(relay);
    progress_.error = error;
    progress_.message = std::move(message);
    const int upstream_status = relay.state() == StreamRelay::State::Failed ? relay.failure().upstream_status : 0;
    progress_.engine_event = error == GatewayError::StreamError ? relay.failure().upstream_event : std::string();
    auto result = fail(judge_stream(error, upstream_status), progress_.message, info(error).code);
    result.interrupted = true;
    co_return result;
}

}  // namespace stoker::gateway
