#include "gateway/upstream/attempt.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "gateway/meter/waste.h"
#include "gateway/upstream/address.h"
#include "gateway/upstream/retry_after.h"
#include "wire/refusal.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kMostRefusal = 1024 * 1024;
constexpr int kTooManyRequests = 429;
constexpr int kMayBeTheRequests = 500;

using internal::clock_now;
using internal::kClientLeft;
using internal::kReplicaLost;

bool is_event_stream(const net::ResponseHead& head) {
    const auto type = head.headers.get("content-type");
    return type && to_lower(type->substr(0, 17)) == "text/event-stream";
}

// The engine's own words, if it said anything that can be read.
std::string said(std::string_view body) {
    constexpr std::size_t kMost = 500;
    const auto scan = wire::scan_answer(body);
    if (!scan || scan->error_message.empty()) return {};
    return ": " + wire::unescape(scan->error_message).substr(0, kMost);
}

}  // namespace

std::optional<FallbackCause> internal::cause_of_refusal(int status, std::string_view body) {
    switch (wire::classify_refusal(status, body)) {
        case wire::Refusal::ContextTooLong:
            return FallbackCause::ContextTooLong;
        case wire::Refusal::ContentRefused:
            return FallbackCause::ContentRefused;
        case wire::Refusal::Other:
            break;
    }
    return {};
}

Attempt::Attempt(RequestContext& context, std::size_t target, const AttemptTerms& terms, StreamProgress& progress)
    : context_(context),
      index_(target),
      target_(context.route->pool->targets[target]),
      pool_(*context.route->pool),
      limits_(context.route->deadlines),
      deadline_(terms.deadline),
      progress_(progress),
      race_(terms.race),
      kind_(progress.begun ? AttemptKind::Continuation : terms.kind),
      body_(terms.body != nullptr ? *terms.body : context.upstream_body),
      estimate_(context.estimate),
      sent_at_(clock_now()),
      turn_(*target_.replica, context.scan.stream, sent_at_, estimate_, terms.trial) {
    active_.replica = target_.replica.get();
    context_.begin_attempt(active_, target, kind_);
    if (race_ != nullptr) race_->enter(*this);
}

Attempt::~Attempt() {
    if (race_ != nullptr) race_->leave(*this);
    conclude();
    // An answer below 500 is one, whatever it says; of a 429 nothing follows, nor of a client that did not wait.
    if (status_ != 0 && status_ != kTooManyRequests && !active_.cut) turn_.good();
    context_.core().publish(target_.replica, turn_.end(clock_now()));
}

bool Attempt::cut_short() const {
    const Duration phase = std::min(context_.scan.stream ? first_token_limit() : limits_.whole, limits_.total);
    return deadline_ + std::chrono::milliseconds{1} < sent_at_ + phase / 2;
}

Duration Attempt::first_token_limit() const {
    return limits_.first_token > Duration{0} ? limits_.first_token : limits_.first_byte;
}

void Attempt::conclude() {
    if (!std::exchange(concluded_, true)) {
        context_.end_attempt(active_, status_, cause_, cause_.empty() || refused_);
    }
}

Duration Attempt::remaining(Duration phase) const {
    const auto left = std::chrono::duration_cast<Duration>(deadline_ - clock_now());
    return std::clamp(left, Duration{1}, std::max(phase, Duration{1}));
}

AttemptResult Attempt::fail(Verdict verdict, std::string message, std::string_view cause) {
    cause_ = cause;
    const bool late = verdict.error == GatewayError::UpstreamTimeout;
    if (verdict.replica_fault && !(late && cut_short())) {
        turn_.failed(cause, status_ == kMayBeTheRequests ? TurnEnd::Suspect : TurnEnd::Fault);
    }
    AttemptResult result;
    result.target = index_;
    result.failed = true;
    result.verdict = verdict;
    result.status = status_;
    result.message = std::move(message);
    return result;
}

AttemptResult Attempt::fail_with(const Error& error) {
    if (lost_) return lost();
    if (active_.cut == GatewayError::ClientClosed) return client_left();
    if (active_.cut) return fail(judge_stream(*active_.cut, 0), active_.cut_reason, kReplicaLost);
    if (context_.upload && context_.upload->problem()) return upload_failed(*context_.upload->problem());
    const net::Fault fault = net::fault_of(error);
    if (fault == net::Fault::ConnectRefused) {
        context_.core().publish(target_.replica, target_.replica->on_connect_refused(clock_now()));
    }
    // A proxy's refusal is for the operator to mend, and says how.
    log::write(fault == net::Fault::Proxy ? log::Level::Warn : log::Level::Debug, "attempt failed",
               {{"request_id", context_.id()}, {"replica", target_.replica->id()}, {"why", error.message}});
    return fail(judge_fault(fault), std::string(describe(fault)), net::to_string(fault));
}

// The client's own body did not come as it should: no fault of the replica's, and nothing to try again.
AttemptResult Attempt::upload_failed(const Error& problem) {
    switch (problem.code) {
        case Errc::ResourceExhausted:
            return fail({false, false, false, GatewayError::BodyTooLarge}, "the body is too long", "body_too_large");
        case Errc::DeadlineExceeded:
            return fail({false, false, false, GatewayError::RequestTimeout}, "the body did not come in time",
                        "request_timeout");
        case Errc::InvalidArgument:
            return fail({false, false, false, GatewayError::InvalidRequest}, problem.message, "invalid_request");
        default:
            return client_left();
    }
}

AttemptResult Attempt::delivered(Outcome outcome, int status, std::string_view code, std::string_view cause) {
    cause_ = cause;
    context_.settle(outcome, status, code);
    AttemptResult result;
    result.target = index_;
    result.delivered = true;
    return result;
}

AttemptResult Attempt::hold(FallbackCause cause, net::Response response, AnswerFacts facts) {
    auto result = fail({false, false, false, GatewayError::UpstreamRejected},
                       "the replica refused: " + std::string(to_string(cause)), to_string(cause));
    refused_ = true;
    result.cause = cause;
    result.held.emplace(HeldAnswer{index_, std::move(response), std::move(facts)});
    return result;
}

// Nobody waits any more for a whole answer that was being made: what there was of it can only be guessed.
void Attempt::note_left_behind(std::string_view reason) {
    if (context_.scan.stream || concluded_) return;
    const SteadyTime now = clock_now();
    const double elapsed = std::chrono::duration<double>(now - sent_at_).count();
    const double usual = target_.replica->load().answer_seconds(now);
    context_.note_attempt_tokens(active_, 0, tokens_left_behind(estimate_, elapsed, usual), reason);
}

bool Attempt::claim() {
    if (race_ == nullptr) return true;
    const bool won = race_->claim(*this);
    if (!won) return false;
    context_.lead(active_, estimate_);
    if (kind_ == AttemptKind::Hedge) context_.core().metrics.count_hedge(pool_.name, "won");
    return true;
}

// Its replica is not to blame, nor praised: nothing follows of it.
void Attempt::lose() {
    if (concluded_ || std::exchange(lost_, true)) return;
    note_left_behind(internal::kHedge);
    context_.core().metrics.count_wasted(pool_.name, "prompt", internal::kHedge, estimate_.new_tokens);
    if (kind_ == AttemptKind::Hedge) context_.core().metrics.count_hedge(pool_.name, "lost");
    cause_ = records::kHedgeLost;
    conclude();
    active_.end(GatewayError::UpstreamTimeout, "another replica answered first");
}

AttemptResult Attempt::lost() const {
    AttemptResult result;
    result.target = index_;
    return result;
}

AttemptResult Attempt::client_left() {
    context_.note_client_gone();
    note_left_behind(kClientLeft);
    const ErrorInfo& entry = info(GatewayError::ClientClosed);
    return delivered(Outcome::Cancelled, entry.status, entry.code, "cancelled");
}

asio::awaitable<AttemptResult> Attempt::run() {
    net::ClientRequest request;
    request.method = "POST";
    address(request, pool_, target_,
            {.head = context_.exchange().request(),
             .dialect = context_.endpoint.dialect,
             .id = context_.id(),
             .traceparent = context_.attempt_traceparent(active_),
             .credentials = context_.withhold_credentials ? ClientCredentials::Withhold : ClientCredentials::PassOn});
    request.more = body_.pieces();
    request.source = context_.upload.get();
    const bool stream = context_.scan.stream;
    const Duration head = stream ? std::min(limits_.first_byte, first_token_limit()) : limits_.whole;
    const net::Deadlines deadlines{remaining(limits_.connect), remaining(head), remaining(head)};
    co_await context_.loop().end_of_turn();
    const SteadyTime began = clock_now();
    auto call = co_await context_.loop().client_for(pool_).send(target_.replica->url(), std::move(request), deadlines,
                                                                &active_.token);
    if (!call) co_return fail_with(call.error());
    target_.replica->on_connected();
    const SteadyTime heard = clock_now();
    context_.overhead().add(OverheadStage::Connect, (*call)->connect_time());
    context_.overhead().add(OverheadStage::Upstream, heard - began - (*call)->connect_time());
    turn_.progress(heard);
    auto result = co_await answered(*std::move(call));
    active_.call = nullptr;
    co_return result;
}

asio::awaitable<AttemptResult> Attempt::answered(std::unique_ptr<net::Call> call) {
    call_ = std::move(call);
    active_.call = call_.get();
    if (active_.cut) call_->cancel();
    if (lost_) co_return lost();
    status_ = call_->head().status;
    const bool tried_500 = std::any_of(context_.record().attempts.begin(), context_.record().attempts.end(),
                                       [](const records::Attempt& attempt) { return attempt.status == 500; });
    if (const auto verdict = judge_status(status_, tried_500 ? 1 : 0)) {
        const auto body = co_await call_->read_all(kMostRefusal);
        auto result = fail(*verdict, "the replica answered " + std::to_string(status_) + (body ? said(*body) : ""),
                           "http_" + std::to_string(status_));
        if (active_.cut == GatewayError::ClientClosed) co_return client_left();
        result.retry_after = parse_retry_after(call_->head().headers.get("retry-after"), now());
        const bool rate_limited = status_ == kTooManyRequests;
        if (verdict->rest && result.retry_after) {
            const Duration rest = std::min(*result.retry_after, pool_.retry.retry_after_max);
            target_.replica->rest_until(clock_now() + rest, rate_limited);
        } else if (rate_limited && !result.retry_after) {
            target_.replica->note_limited(clock_now());
        }
        co_return result;
    }
    // A form may ask for a stream behind what was read of it.
    const bool streamed = (context_.scan.stream || context_.upload) && is_event_stream(call_->head());
    if (progress_.begun && (status_ >= 400 || !streamed)) co_return refuse_to_continue();
    if (status_ >= 400) co_return co_await relay_refusal();
    if (streamed) co_return co_await relay_events();
    co_return co_await relay_whole();
}

// A 4xx is the client's own affair: it gets what the engine said, if that is fit for a program to read.
asio::awaitable<AttemptResult> Attempt::relay_refusal() {
    auto body = co_await call_->read_all(kMostRefusal);
    if (!body) co_return fail_with(body.error());
    const auto refusal = internal::cause_of_refusal(status_, *body);
    if (pool_.provider && !refusal && refuses_key(status_)) co_return refuse_for_key();
    const bool mine = claim();
    if (!mine) co_return lost();
    net::Response response{status_, client_headers(call_->head(), context_.marks()), {}};
    response.body = refusal_json(context_.endpoint.dialect, status_, *std::move(body));
    response.headers.set("content-type", "application/json");
    cause_.clear();
    const auto cause = internal::cause_of_refusal(status_, response.body);
    if (cause && context_.has_fallback(*cause)) co_return hold(*cause, std::move(response));
    context_.record().replica = target_.replica->id();
    conclude();
    co_await context_.respond(std::move(response));
    AttemptResult result;
    result.delivered = true;
    co_return result;
}

// The provider's words are about our account, and so for the log of whoever pays for it.
AttemptResult Attempt::refuse_for_key() {
    log::error("a provider refuses the key or its account",
               {{"replica", target_.replica->id()}, {"status", status_}, {"request_id", context_.id()}});
    return fail({false, true, false, GatewayError::ProviderRefusesKey},
                "the provider refuses the gateway's own key or account", "http_" + std::to_string(status_));
}

// The replica won't go on with another's answer. Its stream must end then, and it is not asked again for a while.
AttemptResult Attempt::refuse_to_continue() {
    target_.replica->note_continuation_refused(clock_now());
    context_.core().metrics.count_continuation(pool_.name, "refused");
    progress_.message += " (not continued: the replica refused with status " + std::to_string(status_) + ")";
    return fail({false, false, false, GatewayError::UpstreamRejected}, "the replica refused to go on with the answer",
                "continuation_refused");
}

asio::awaitable<bool> Attempt::start_answer() {
    // Another attempt that has just lost may still look at them.
    if (race_ == nullptr || race_->alone()) context_.release_bodies(may_continue(context_));
    net::ResponseHead head{status_, client_headers(call_->head(), context_.marks())};
    const auto started = co_await context_.exchange().start(std::move(head));
    co_return started.has_value();
}

asio::awaitable<bool> Attempt::send_on(std::string_view bytes) {
    if (bytes.empty()) co_return true;
    turn_.pause();
    const SteadyTime began = clock_now();
    const auto written = co_await context_.exchange().write(bytes);
    const SteadyTime done = clock_now();
    context_.overhead().add(OverheadStage::Write, done - began);
    turn_.resume(done);
    if (written) context_.count_response_bytes(bytes.size());
    co_return written.has_value();
}

}  // namespace stoker::gateway
