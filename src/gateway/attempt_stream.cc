// The part of an attempt that passes on a stream of events.
#include <utility>

#include "gateway/attempt.h"
#include "net/async.h"

namespace stoker::gateway {
namespace asio = boost::asio;
using internal::clock_now;
using internal::kReplicaLost;

// By when the next piece must come: until the stream flows its first byte is due, then the next event.
SteadyTime Attempt::stream_deadline(const StreamRelay& relay) const {
    const SteadyTime due = relay.state() == StreamRelay::State::Holding ? sent_at_ + pool_.deadlines.first_byte
                                                                        : relay.last_event() + pool_.deadlines.between;
    return std::min(due, deadline_);
}

asio::awaitable<AttemptResult> Attempt::relay_events() {
    StreamRelay relay({.dialect = context_.endpoint.dialect,
                       .hide_usage = context_.asks_usage,
                       .max_event_bytes = context_.core().options.max_event_bytes,
                       .inter_token_latency = context_.replica_series()->inter_token_latency});
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
            if (active_.cut) co_return co_await break_stream(relay, *active_.cut, active_.cut_reason);
            if (fault == net::Fault::BodyTimeout) co_return co_await break_silent_stream(relay);
            co_return co_await break_stream(relay, GatewayError::StreamCut, std::string(describe(fault)));
        }
        const SteadyTime now = clock_now();
        turn_.progress(now);
        const auto state = piece->empty() ? relay.end_of_body() : relay.feed(*piece, now);
        if (state == StreamRelay::State::Holding) continue;
        if (state == StreamRelay::State::Failed) {
            co_return co_await break_stream(relay, relay.failure().error, relay.failure().message);
        }
        turn_.flow(now);
        if (!context_.exchange().started()) {
            const bool begun = co_await start_answer();
            if (!begun) co_return client_left();
        }
        if (state == StreamRelay::State::Done) co_return co_await end_stream(relay);
        const bool sent = co_await send_on(relay.out());
        if (!sent) {
            context_.take_facts(relay.facts());
            co_return client_left();
        }
        relay.out().clear();
    }
}

asio::awaitable<AttemptResult> Attempt::break_silent_stream(StreamRelay& relay) {
    const bool over = clock_now() >= deadline_;
    co_return co_await break_stream(
        relay, over ? GatewayError::UpstreamTimeout : GatewayError::StreamStalled,
        over ? "the request took longer than its whole deadline" : "the replica sent nothing of use for too long");
}

asio::awaitable<AttemptResult> Attempt::end_stream(StreamRelay& relay) {
    context_.take_facts(relay.facts());
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

// The stream can't be trusted any more. Before the client's first byte that is for the next attempt to make good; after
// it, the client is told, and its connection is cut so that no reader takes what it has for the whole answer.
asio::awaitable<AttemptResult> Attempt::break_stream(StreamRelay& relay, GatewayError error, std::string message) {
    const bool failed_itself = relay.state() == StreamRelay::State::Failed;
    if (error == GatewayError::ClientClosed) {
        context_.take_facts(relay.facts());
        co_return client_left();
    }
    if (!context_.exchange().started()) {
        const Verdict verdict = judge_stream(error, failed_itself ? relay.failure().upstream_status : 0);
        if (verdict.retry) {
            co_return fail(verdict, std::move(message), active_.cut ? kReplicaLost : info(error).code);
        }
        co_return co_await refuse_with(relay.failure());
    }
    turn_.failed();
    call_->cancel();
    context_.take_facts(relay.facts());
    std::string last = std::exchange(relay.out(), {});
    if (error != GatewayError::StreamError) {
        last += error_event(error, message, context_.endpoint.dialect, relay.sequence());
    }
    const bool told = co_await send_on(last);
    if (!told) co_return client_left();
    // SDKs close the connection themselves once they have read the event; a cut that overtakes it would hide it.
    const SteadyTime until = clock_now() + context_.core().options.error_linger;
    while (!context_.exchange().client_gone() && clock_now() < until) (void)co_await net::sleep_for(Duration{10});
    context_.exchange().abort();
    co_return delivered(Outcome::Truncated, status_, info(error).code, info(error).code);
}

}  // namespace stoker::gateway
