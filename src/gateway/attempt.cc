#include "gateway/attempt.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "net/async.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

constexpr std::string_view kReplicaLost = "replica_lost";  // Found down or hung while it worked on the request.
constexpr std::size_t kMostRefusal = 1024 * 1024;

using internal::clock_now;
using internal::is_json;

Verdict judge_stream_error(GatewayError error, int upstream_status) {
    if (upstream_status >= 400 && upstream_status < 500) return {false, false, false, GatewayError::UpstreamRejected};
    const bool slow = error == GatewayError::StreamStalled || error == GatewayError::UpstreamTimeout;
    return {true, true, false, slow ? GatewayError::UpstreamTimeout : GatewayError::UpstreamError};
}

bool is_event_stream(const net::ResponseHead& head) {
    const auto type = head.headers.get("content-type");
    return type && to_lower(type->substr(0, 17)) == "text/event-stream";
}

// What happened, for the client: addresses and system errors are for the log.
std::string describe(net::Fault fault) {
    switch (fault) {
        case net::Fault::ConnectRefused:
        case net::Fault::Resolve:
            return "the replica can't be reached";
        case net::Fault::ConnectTimeout:
            return "the replica took no connection in time";
        case net::Fault::Tls:
            return "no secure connection to the replica could be made";
        case net::Fault::WriteFailed:
        case net::Fault::ResetBeforeHead:
            return "the replica closed the connection without an answer";
        case net::Fault::HeadTimeout:
        case net::Fault::BodyTimeout:
            return "the replica did not answer in time";
        case net::Fault::BodyCut:
            return "the replica closed the connection in the middle of its answer";
        case net::Fault::MalformedHead:
        case net::Fault::MalformedBody:
            return "the replica's answer is not HTTP";
        default:
            return "the replica failed";
    }
}

// The engine's own words, if it said anything that can be read.
std::string said(std::string_view body) {
    constexpr std::size_t kMost = 500;
    const auto scan = wire::scan_answer(body);
    if (!scan || scan->error_message.empty()) return {};
    return ": " + wire::unescape(scan->error_message).substr(0, kMost);
}

}  // namespace

Attempt::Attempt(RequestContext& context, std::size_t target, std::string_view body, SteadyTime deadline)
    : context_(context),
      target_(context.route->pool->targets[target]),
      pool_(*context.route->pool),
      body_(body),
      deadline_(deadline),
      sent_at_(clock_now()),
      turn_(*target_.replica, context.scan.stream, sent_at_) {
    active_.replica = target_.replica.get();
    context_.begin_attempt(active_, target);
}

Attempt::~Attempt() {
    context_.end_attempt(active_, status_, cause_);
}

Duration Attempt::remaining(Duration phase) const {
    const auto left = std::chrono::duration_cast<Duration>(deadline_ - clock_now());
    return std::clamp(left, Duration{1}, std::max(phase, Duration{1}));
}

AttemptResult Attempt::fail(Verdict verdict, std::string message, std::string_view cause) {
    cause_ = cause;
    if (verdict.replica_fault) turn_.failed();
    AttemptResult result;
    result.verdict = verdict;
    result.status = status_;
    result.message = std::move(message);
    return result;
}

AttemptResult Attempt::fail_with(const Error& error) {
    if (active_.cut == GatewayError::ClientClosed) return client_left();
    if (active_.cut) return fail(judge_stream_error(*active_.cut, 0), active_.cut_reason, kReplicaLost);
    const net::Fault fault = net::fault_of(error);
    if (fault == net::Fault::ConnectRefused) {
        context_.core().publish(target_.replica, target_.replica->on_connect_refused(clock_now()));
    }
    log::debug("attempt failed",
               {{"request_id", context_.id()}, {"replica", target_.replica->id()}, {"why", error.message}});
    return fail(judge_fault(fault), describe(fault), net::to_string(fault));
}

AttemptResult Attempt::delivered(Outcome outcome, int status, std::string_view code, std::string_view cause) {
    cause_ = cause;
    context_.settle(outcome, status, code);
    AttemptResult result;
    result.delivered = true;
    return result;
}

AttemptResult Attempt::client_left() {
    context_.note_client_gone();
    const ErrorInfo& entry = info(GatewayError::ClientClosed);
    return delivered(Outcome::Cancelled, entry.status, entry.code, "cancelled");
}

asio::awaitable<AttemptResult> Attempt::run() {
    const DeadlineOptions& limits = pool_.deadlines;
    net::ClientRequest request;
    request.method = "POST";
    request.target = target_.path_prefix + context_.exchange().request().target;
    request.headers = upstream_headers(context_.exchange().request(), context_.id(), context_.trace(), target_.api_key);
    request.body = body_;
    const bool stream = context_.scan.stream;
    const net::Deadlines deadlines{remaining(limits.connect), remaining(stream ? limits.first_byte : limits.total),
                                   remaining(stream ? limits.first_byte : limits.total)};
    auto call =
        co_await context_.loop().client->send(target_.replica->url(), std::move(request), deadlines, &active_.token);
    if (!call) co_return fail_with(call.error());
    target_.replica->on_connected();
    turn_.progress(clock_now());
    auto result = co_await answered(*std::move(call));
    active_.call = nullptr;
    co_return result;
}

asio::awaitable<AttemptResult> Attempt::answered(std::unique_ptr<net::Call> call) {
    call_ = std::move(call);
    active_.call = call_.get();
    if (active_.cut) call_->cancel();
    status_ = call_->head().status;
    const bool tried_500 = std::any_of(context_.record().attempts.begin(), context_.record().attempts.end(),
                                       [](const records::Attempt& attempt) { return attempt.status == 500; });
    if (const auto verdict = judge_status(status_, tried_500 ? 1 : 0)) {
        const auto body = co_await call_->read_all(kMostRefusal);
        auto result = fail(*verdict, "the replica answered " + std::to_string(status_) + (body ? said(*body) : ""),
                           "http_" + std::to_string(status_));
        if (active_.cut == GatewayError::ClientClosed) co_return client_left();
        result.retry_after = parse_retry_after(call_->head().headers.get("retry-after"));
        if (verdict->rest && result.retry_after) target_.replica->rest_until(clock_now() + *result.retry_after);
        co_return result;
    }
    if (status_ >= 400) co_return co_await relay_refusal();
    if (context_.scan.stream && is_event_stream(call_->head())) co_return co_await relay_events();
    co_return co_await relay_whole();
}

// A 4xx is the client's own affair: it gets what the engine said, if that is fit for a program to read.
asio::awaitable<AttemptResult> Attempt::relay_refusal() {
    auto body = co_await call_->read_all(kMostRefusal);
    if (!body) co_return fail_with(body.error());
    net::Response response{status_, client_headers(call_->head(), context_.marks()), *std::move(body)};
    if (!is_json(call_->head()) || !wire::scan_answer(response.body)) {
        response.body = error_json(GatewayError::UpstreamRejected,
                                   "the engine refused the request with status " + std::to_string(status_));
        response.headers.set("content-type", "application/json");
    }
    cause_.clear();
    context_.record().replica = target_.replica->id();
    co_await context_.respond(std::move(response));
    AttemptResult result;
    result.delivered = true;
    co_return result;
}

asio::awaitable<bool> Attempt::start_answer() {
    net::ResponseHead head{status_, client_headers(call_->head(), context_.marks())};
    const auto started = co_await context_.exchange().start(std::move(head));
    co_return started.has_value();
}

asio::awaitable<bool> Attempt::send_on(std::string_view bytes) {
    turn_.pause();
    const auto written = co_await context_.exchange().write(bytes);
    turn_.resume(clock_now());
    if (written) context_.count_response_bytes(bytes.size());
    co_return written.has_value();
}

// By when the next piece must come: until the stream flows its first byte is due, then the next event.
SteadyTime Attempt::stream_deadline(const StreamRelay& relay) const {
    const SteadyTime due = relay.state() == StreamRelay::State::Holding ? sent_at_ + pool_.deadlines.first_byte
                                                                        : relay.last_event() + pool_.deadlines.between;
    return std::min(due, deadline_);
}

asio::awaitable<AttemptResult> Attempt::relay_events() {
    StreamRelay relay({.hide_usage = context_.asks_usage,
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
            co_return co_await break_stream(relay, GatewayError::StreamCut, describe(fault));
        }
        const SteadyTime now = clock_now();
        turn_.progress(now);
        const auto state = piece->empty() ? relay.end_of_body() : relay.feed(*piece, now);
        if (state == StreamRelay::State::Holding) continue;
        if (state == StreamRelay::State::Failed) {
            co_return co_await break_stream(relay, relay.failure().error, relay.failure().message);
        }
        turn_.flow();
        if (!context_.exchange().started() && !co_await start_answer()) co_return client_left();
        if (!relay.out().empty() && !co_await send_on(relay.out())) {
            context_.take_facts(relay.facts());
            co_return client_left();
        }
        relay.out().clear();
        if (state == StreamRelay::State::Done) co_return co_await end_stream(relay);
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
    const auto finished = co_await context_.exchange().finish();
    if (!finished) co_return client_left();
    auto result = delivered(Outcome::Ok, status_, "", "");
    co_await drain_upstream();
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
    net::Response refusal{failure.upstream_status, {}, failure.upstream_body};
    refusal.headers.add("content-type", "application/json");
    add_marks(refusal.headers, context_.marks());
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
        const Verdict verdict = judge_stream_error(error, failed_itself ? relay.failure().upstream_status : 0);
        if (verdict.retry) {
            co_return fail(verdict, std::move(message), active_.cut ? kReplicaLost : info(error).code);
        }
        co_return co_await refuse_with(relay.failure());
    }
    turn_.failed();
    call_->cancel();
    context_.take_facts(relay.facts());
    std::string last = std::exchange(relay.out(), {});
    if (error != GatewayError::StreamError) last += error_event(error, message);
    if (!co_await send_on(last)) co_return client_left();
    // SDKs close the connection themselves once they have read the event; a cut that overtakes it would hide it.
    const SteadyTime until = clock_now() + context_.core().options.error_linger;
    while (!context_.exchange().client_gone() && clock_now() < until) (void)co_await net::sleep_for(Duration{10});
    context_.exchange().abort();
    co_return delivered(Outcome::Truncated, status_, info(error).code, info(error).code);
}

}  // namespace stoker::gateway
