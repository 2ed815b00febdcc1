#include "gateway/shadow/shadow_copy.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "gateway/balance/balance.h"
#include "gateway/elapsed.h"
#include "gateway/meter/tokens.h"
#include "gateway/upstream/address.h"
#include "gateway/upstream/stream_relay.h"
#include "wire/dialect.h"
#include "wire/edited_body.h"
#include "wire/refusal.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kMostAnswer = 8 * 1024 * 1024;
constexpr std::size_t kMostRefusal = 64 * 1024;

SteadyTime clock_now() {
    return std::chrono::steady_clock::now();
}

// How the copy went.
struct Answer {
    ShadowEnd end = ShadowEnd::Failed;
    int status = 0;
    std::string error{};
    AnswerFacts facts{};
};

bool is_event_stream(const net::ResponseHead& head) {
    const auto type = head.headers.get("content-type");
    return type && to_lower(type->substr(0, 17)) == "text/event-stream";
}

// The attempt under way, where those find it who end attempts: of a replica that is lost, and of a gateway that stops.
class Registered {
public:
    Registered(LoopState& loop, ActiveAttempt& active) : loop_(loop), active_(active) {
        loop_.attempts.insert(&active_);
        loop_.shadows.insert(&active_);
    }
    ~Registered() {
        loop_.attempts.erase(&active_);
        loop_.shadows.erase(&active_);
    }
    Registered(const Registered&) = delete;
    Registered& operator=(const Registered&) = delete;

private:
    LoopState& loop_;
    ActiveAttempt& active_;
};

class ShadowAttempt {
public:
    ShadowAttempt(ShadowCopy& copy, LoopState& loop, const Target& target, const LoadEstimate& estimate)
        : copy_(copy),
          loop_(loop),
          target_(target),
          pool_(*copy.route->pool),
          began_(clock_now()),
          deadline_(began_ + std::min(copy.timeout, pool_.deadlines.total)),
          turn_(*target.replica, copy.scan.stream, began_, estimate),
          registered_(loop, active_) {
        active_.replica = target.replica.get();
        const std::string& name = target.engine_model.empty() ? copy.route->upstream_model : target.engine_model;
        body_.assign(copy.body, wire::request_edits(copy.scan, name, copy.asks_usage));
    }

    asio::awaitable<Answer> run() {
        if (copy_.core->shadows.stopping()) co_return ended(ShadowEnd::Cancelled, "stopping");
        net::ClientRequest request;
        request.method = "POST";
        address(request, pool_, target_,
                {.head = copy_.head,
                 .dialect = copy_.endpoint.dialect,
                 .id = copy_.record.id,
                 .traceparent = copy_.traceparent,
                 .credentials = ClientCredentials::Withhold});
        request.more = body_.pieces();
        const net::Deadlines deadlines{std::min(pool_.deadlines.connect, left()), left(), left()};
        auto call = co_await loop_.client_for(pool_).send(target_.replica->url(), std::move(request), deadlines,
                                                          &active_.token);
        if (!call) co_return failed(call.error());
        call_ = *std::move(call);
        active_.call = call_.get();
        if (active_.cut) call_->cancel();
        auto answer = co_await read();
        active_.call = nullptr;
        co_return answer;
    }

    SteadyTime began() const { return began_; }

private:
    // What is left of the copy's time; above 0.
    Duration left() const {
        return std::max(std::chrono::duration_cast<Duration>(deadline_ - clock_now()), Duration{1});
    }

    Answer ended(ShadowEnd end, std::string_view error) const {
        return {.end = end, .status = call_ ? call_->head().status : 0, .error = std::string(error)};
    }

    Answer failed(const Error& error) const {
        if (active_.cut == GatewayError::ClientClosed) return ended(ShadowEnd::Cancelled, "stopping");
        const net::Fault fault = net::fault_of(error);
        const bool late =
            fault == net::Fault::ConnectTimeout || fault == net::Fault::HeadTimeout || fault == net::Fault::BodyTimeout;
        return ended(late ? ShadowEnd::TimedOut : ShadowEnd::Failed, net::to_string(fault));
    }

    asio::awaitable<Answer> read() {
        turn_.progress(clock_now());
        const int status = call_->head().status;
        if (status >= 400) {
            call_->set_between(left());
            (void)co_await call_->read_all(kMostRefusal);
            co_return ended(status < 500 ? ShadowEnd::Refused : ShadowEnd::Failed, "http_" + std::to_string(status));
        }
        if (is_event_stream(call_->head())) co_return co_await read_stream();
        co_return co_await read_whole();
    }

    asio::awaitable<Answer> read_stream() {
        StreamRelay relay({.dialect = copy_.endpoint.dialect, .max_event_bytes = copy_.core->options.max_event_bytes});
        while (true) {
            call_->set_between(left());
            const auto piece = co_await call_->read_some();
            const SteadyTime now = clock_now();
            if (!piece || now >= deadline_) {
                Answer answer = piece ? ended(ShadowEnd::TimedOut, "deadline") : failed(piece.error());
                answer.facts = relay.facts();
                co_return answer;
            }
            turn_.progress(now);
            const auto state = piece->empty() ? relay.end_of_body() : relay.feed(*piece, now);
            relay.out().clear();
            if (state == StreamRelay::State::Holding) continue;
            if (state == StreamRelay::State::Flowing) {
                turn_.flow(now);
                continue;
            }
            const bool done = state == StreamRelay::State::Done;
            Answer answer = ended(done ? ShadowEnd::Answered : ShadowEnd::Failed,
                                  done ? std::string_view() : info(relay.failure().error).code);
            answer.facts = relay.facts();
            co_return answer;
        }
    }

    asio::awaitable<Answer> read_whole() {
        std::string body;
        while (true) {
            call_->set_between(left());
            const auto piece = co_await call_->read_some();
            if (!piece) co_return failed(piece.error());
            if (clock_now() >= deadline_) co_return ended(ShadowEnd::TimedOut, "deadline");
            if (piece->empty()) break;
            if (body.size() + piece->size() > kMostAnswer) co_return ended(ShadowEnd::Failed, "answer_too_long");
            body += *piece;
        }
        turn_.whole_answer(clock_now());
        Answer answer = ended(ShadowEnd::Answered, "");
        if (const auto scan = wire::scan_answer(copy_.endpoint.dialect, body)) {
            answer.facts.usage = scan->usage;
            answer.facts.finish_reason = wire::unescape(scan->finish_reason);
        }
        co_return answer;
    }

    ShadowCopy& copy_;
    LoopState& loop_;
    const Target& target_;
    const Pool& pool_;
    const SteadyTime began_;
    const SteadyTime deadline_;
    Turn turn_;
    ActiveAttempt active_;
    Registered registered_;
    wire::EditedBody body_;
    std::unique_ptr<net::Call> call_;
};

bool reached_engine(const Answer& answer) {
    return answer.status != 0 || answer.end == ShadowEnd::TimedOut;
}

// The engine worked for it as for any request: its own counters moved.
void enter_ledger(const ShadowCopy& copy, const Answer& answer, const ReplicaSeries& series) {
    if (answer.status == 0 || answer.status >= 400) return;
    series.ledger.enter({.stream = copy.scan.stream,
                         .events = answer.facts.content_events,
                         .usage = answer.facts.usage,
                         .estimated_prompt = estimated_tokens(copy.scan.prompt_bytes)});
}

// The copy's own record, and its side of the pair.
void account(ShadowCopy& copy, const Answer& answer, SteadyTime began) {
    records::RequestRecord& record = copy.record;
    const AnswerFacts& facts = answer.facts;
    record.status = answer.status;
    record.error = answer.error;
    record.finish_reason = facts.finish_reason;
    record.duration_ns = nanos(clock_now() - began);
    record.events = facts.content_events;
    if (facts.content_events > 0) record.ttft_ns = nanos(facts.first_content - began);
    if (facts.usage) {
        record.prompt_tokens = facts.usage->prompt_tokens;
        record.completion_tokens = facts.usage->completion_tokens;
        record.cached_tokens = facts.usage->cached_tokens;
        record.usage_source = records::UsageSource::Engine;
    } else if (facts.content_events > 0) {
        record.prompt_tokens = estimated_tokens(copy.scan.prompt_bytes);
        record.completion_tokens = facts.content_events;
        record.usage_source = records::UsageSource::Estimated;
    }
    record.attempts.push_back({.replica = record.replica,
                               .status = answer.status,
                               .error = answer.error,
                               .duration_ns = record.duration_ns,
                               .tokens = record.completion_tokens});
    Shadows& shadows = copy.core->shadows;
    shadows.settle(copy.reservation, record.prompt_tokens + record.completion_tokens, reached_engine(answer));
    shadows.ended(*copy.link, answer.end, record.prompt_tokens, record.completion_tokens);
    ShadowPair& pair = copy.link->pair;
    pair.comparable = pair.comparable && answer.status != 0 && answer.end != ShadowEnd::TimedOut &&
                      answer.end != ShadowEnd::Cancelled;
    pair.copy = ShadowSide{.status = record.status,
                           .finish_reason = record.finish_reason,
                           .completion_tokens = record.completion_tokens,
                           .ttft_ns = record.ttft_ns,
                           .duration_ns = record.duration_ns};
    shadows.look(*copy.link);
    copy.core->sink.on_record(record);
}

}  // namespace

asio::awaitable<void> run_shadow(std::shared_ptr<ShadowCopy> copy) {
    const auto executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);  // The request itself goes first.
    LoopState& loop = copy->core->here(executor);
    const Pool& pool = *copy->route->pool;
    const auto pick = pick_target(pool, {.now = clock_now(),
                                         .model = copy->scan.model,
                                         .prompt = copy->scan.prompt_value.of(copy->body),
                                         .session = copy->session,
                                         .max_tokens = copy->scan.max_tokens.value_or(0),
                                         .stream = copy->scan.stream});
    if (!pick) {  // It was there a moment ago.
        account(*copy, {.error = "no_replica"}, clock_now());
        co_return;
    }
    copy->record.replica = pool.targets[pick->target].replica->id();
    SteadyTime began;
    Answer answer;
    {
        ShadowAttempt attempt(*copy, loop, pool.targets[pick->target], pick->estimate);
        began = attempt.began();
        answer = co_await attempt.run();
    }
    const Identity nobody;  // No tenant asked for it.
    enter_ledger(*copy, answer, copy->route->series->of(nobody).replicas[pick->target]);
    account(*copy, answer, began);
}

}  // namespace stoker::gateway
