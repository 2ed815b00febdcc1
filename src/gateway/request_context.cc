#include "gateway/request_context.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "gateway/cache/cache_parts.h"
#include "gateway/elapsed.h"
#include "gateway/hooks/price_hook.h"
#include "gateway/limit/limit_stage.h"
#include "gateway/meter/tokens.h"
#include "gateway/meter/waste.h"
#include "gateway/request_spans.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

constexpr std::int64_t kNanosPerMilli = 1'000'000;

Outcome outcome_of(int status) {
    if (status < 400) return Outcome::Ok;
    if (status == 429 || status == 503) return Outcome::Rejected;
    return status < 500 ? Outcome::ClientError : Outcome::UpstreamError;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::Ok:
            return "ok";
        case Outcome::ClientError:
            return "client_error";
        case Outcome::UpstreamError:
            return "upstream_error";
        case Outcome::Truncated:
            return "truncated";
        case Outcome::Cancelled:
            return "cancelled";
        case Outcome::Rejected:
            return "rejected";
    }
    return "unknown";
}

RequestContext::RequestContext(std::shared_ptr<Core> core, LoopState& loop, net::Exchange& exchange)
    : core_(std::move(core)), loop_(loop), exchange_(&exchange) {
    const net::RequestHead& head = exchange_->request();
    trace_ = continue_trace(head.headers.get("traceparent"));
    record_.id = request_id_from(head.headers.get("x-request-id"));
    record_.trace_id = trace_.trace_id;
    record_.span_id = trace_.span_id;
    record_.parent_span_id = trace_.parent_id;
    stage_began_ = exchange_->received_at();
    const auto age = std::chrono::steady_clock::now() - exchange_->received_at();
    record_.time_ms = to_millis(now() - std::chrono::duration_cast<Duration>(age));
    record_.endpoint = std::string(head.path());
    record_.client = head.peer;
}

RequestContext::~RequestContext() {
    exchange_->on_client_gone({});
    if (client_gone() && !exchange_->started()) exchange_->abort();  // There is nobody to answer.
    if (!settled_) {
        if (client_gone()) {
            settle(Outcome::Cancelled, GatewayError::ClientClosed);
        } else {
            settle(Outcome::UpstreamError, GatewayError::Internal);  // An exception, or the server is being stopped.
        }
    }
    account();
    overhead_.observe(core_->metrics.stages());
}

void RequestContext::settle(Outcome outcome, int status, std::string_view code) {
    if (std::exchange(settled_, true)) return;
    if (left_early_ && outcome == Outcome::Ok) {
        const ErrorInfo& left = info(GatewayError::ClientClosed);
        outcome = Outcome::Cancelled;
        status = left.status;
        code = left.code;
    }
    record_.outcome = to_string(outcome);
    record_.status = status;
    record_.error = code;
}

asio::awaitable<void> RequestContext::refuse(GatewayError error, std::string message, net::Headers headers,
                                             std::string param) {
    const ErrorInfo& entry = info(error);
    // Those have their lines where they begin, at the replica's fall and at the change of level, or come by thousands.
    const bool told = error == GatewayError::NoReplica || error == GatewayError::Degraded ||
                      (record_.attempts.empty() && error == GatewayError::UpstreamOverloaded) ||
                      error == GatewayError::QueueFull || error == GatewayError::QueueTimeout ||
                      error == GatewayError::QueueTooLong || error == GatewayError::RequestShed;
    if (entry.status >= 500 && !told) {
        log::warn("request failed", {{"request_id", record_.id},
                                     {"code", entry.code},
                                     {"model", record_.model},
                                     {"attempts", record_.attempts.size()},
                                     {"message", message}});
    }
    settle_limits();
    net::Response response{entry.status, std::move(headers), error_json(error, message, param, endpoint.dialect)};
    response.headers.add("content-type", "application/json");
    add_marks(response.headers, marks());
    const std::size_t bytes = response.body.size();
    note_failing(error);
    const auto sent = co_await exchange_->respond(std::move(response));
    if (!sent) co_return settle(Outcome::Cancelled, GatewayError::ClientClosed);
    count_response_bytes(bytes);
    settle(outcome_of(entry.status), error);
}

asio::awaitable<void> RequestContext::respond(net::Response response, std::string_view code) {
    if (client_gone()) co_return settle(Outcome::Cancelled, GatewayError::ClientClosed);
    const int status = response.status;
    count_response_bytes(response.body.size());
    if (status < 400) {
        code = {};
    } else if (code.empty()) {
        code = info(GatewayError::UpstreamRejected).code;
    }
    settle(outcome_of(status), status, code);
    close_books();
    co_await loop_.end_of_turn();
    loop_.records->write();
    const SteadyTime began = std::chrono::steady_clock::now();
    const auto sent = co_await exchange_->respond(std::move(response));
    overhead_.add(OverheadStage::Write, std::chrono::steady_clock::now() - began);
    if (!sent) log::debug("the client left as its answer was sent", {{"request_id", record_.id}});
}

void RequestContext::set_identity(std::shared_ptr<const Identity> known) {
    identity = std::move(known);
    record_.tenant = identity->tenant;
    record_.key_id = identity->key_id;
}

void RequestContext::note_body(std::string held, std::uint64_t total) {
    body = std::move(held);
    record_.request_bytes = static_cast<std::int64_t>(total);
    body_read_at_ = std::chrono::steady_clock::now();
}

void RequestContext::watch_client() {
    exchange_->on_client_gone([this]() {
        client_gone_ = true;
        if (when_client_leaves) when_client_leaves();
        const auto under_way = active_;  // Ending one may take it out.
        for (ActiveAttempt* active : under_way) {
            if (active != nullptr) active->end(GatewayError::ClientClosed, "the client left");
        }
    });
}

void RequestContext::note_cache(CacheStatus status, std::string_view detail) {
    record_.cache = to_string(status);
    cache_mark_ = record_.cache;
    cache_mark_ += detail;
    answered_by_cache_ =
        status == CacheStatus::Hit || status == CacheStatus::Coalesced || status == CacheStatus::Semantic;
    core_->cache.parts().metrics.count(status, plan.steps.front().route->model);
}

AnswerSource RequestContext::answer_source() const {
    if (record_.cache == to_string(CacheStatus::Coalesced)) return AnswerSource::Shared;
    if (answered_by_cache_) return AnswerSource::Cache;
    return record_.attempts.empty() ? AnswerSource::None : AnswerSource::Engine;
}

void RequestContext::adopt(const records::RequestRecord& inner, std::vector<records::Attempt> share) {
    record_.attempts = std::move(share);
    for (const records::Attempt& attempt : record_.attempts) record_.wasted_tokens += attempt.wasted;
    record_.model = inner.model;
    record_.replica = inner.replica;
    replica_id_ = inner.replica;
}

void RequestContext::take_step(const RouteStep& step) {
    if (handles_ != nullptr) handles_->model.active->add(-1);
    step_ = &step;
    route = step.route;
    record_.model = route->model;
    record_.pool = route->pool->name;
    handles_ = &route->series->of(*identity);
    handles_->model.active->add(1);
    step_attempts_ = record_.attempts.size();
}

std::string_view RequestContext::adapter() const {
    return step_ == plan.steps.data() ? std::string_view(plan.adapter) : std::string_view();
}

bool RequestContext::has_fallback(FallbackCause cause) const {
    if (step_ == nullptr) return false;
    const RouteStep* end = plan.steps.data() + plan.steps.size();
    return std::any_of(step_ + 1, end, [&](const RouteStep& later) { return later.after.has(cause); });
}

void RequestContext::return_to(const RouteStep& step, std::size_t target) {
    take_step(step);
    series_ = &handles_->replicas[target];
    replica_id_ = route->pool->targets[target].replica->id();
    record_.replica = replica_id_;
}

AnswerMarks RequestContext::marks() const {
    AnswerMarks marks{record_.id, replica_id_, record_.attempts.size()};
    if (!record_.attempts.empty() || answered_by_cache_) marks.model = record_.model;
    marks.cache = cache_mark_;
    marks.anthropic = endpoint.dialect == wire::Dialect::Messages;
    marks.degradation = degradation;
    marks.rule = plan.rule;
    marks.split = plan.split;
    marks.arm = plan.arm;
    marks.provider = route != nullptr && route->pool->provider != nullptr;
    marks.queue_ms = record_.queue_ns / kNanosPerMilli;
    if (reservation_.any()) {
        // What is known to be used already is told as if it were settled.
        std::optional<std::int64_t> used;
        if (!limits_settled_ && record_.usage_source != records::UsageSource::None) {
            used = record_.prompt_tokens + record_.completion_tokens;
        }
        marks.rates = rate_headers(core_->limits.views(reservation_, used, Moment::now()));
    }
    return marks;
}

std::string RequestContext::attempt_traceparent(const ActiveAttempt& active) const {
    return trace_.traceparent(attempt_span_id(record_.span_id, active.number));
}

void RequestContext::passed(Stage stage) {
    const SteadyTime at = std::chrono::steady_clock::now();
    const SteadyTime::duration spent = at - std::exchange(stage_began_, at);
    const std::int64_t lasted = nanos(spent);
    switch (stage) {
        case Stage::Receive:
            record_.receive_ns += lasted;
            overhead_.add(OverheadStage::Parse, at - body_read_at_);  // The rest is the client's time.
            break;
        case Stage::Route:
            record_.route_ns += lasted;
            overhead_.add(OverheadStage::Route, spent);
            break;
        case Stage::Limit:
            record_.limit_ns += lasted;
            overhead_.add(OverheadStage::Limit, spent);
            break;
        case Stage::Cache:
            record_.cache_ns += lasted;
            overhead_.add(OverheadStage::Cache, spent);
            break;
        case Stage::Queue:
            record_.queue_ns += lasted;
            overhead_.add(OverheadStage::Queue, spent);
            break;
    }
}

void RequestContext::note_queued(SteadyTime::duration lasted) {
    record_.queue_ns += nanos(lasted);
    overhead_.add(OverheadStage::Queue, lasted);
}

void RequestContext::note_first_attempt() {
    if (std::exchange(sent_, true)) return;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - body_read_at_;
    // Waiting for others is no work of the gateway's.
    core_->metrics.overhead_before().observe(spent.count() - seconds(record_.queue_ns));
}

std::string_view RequestContext::kind_of_attempt(AttemptKind kind) const {
    if (kind != AttemptKind::Other) return kind == AttemptKind::Hedge ? "hedge" : "continuation";
    if (record_.attempts.size() > step_attempts_) return "retry";
    return record_.attempts.empty() ? "" : "fallback";
}

void RequestContext::begin_attempt(ActiveAttempt& active, std::size_t target, AttemptKind kind) {
    const auto place = std::find(active_.begin(), active_.end(), nullptr);
    STOKER_CHECK(place != active_.end(), "too many attempts at once");
    *place = &active;
    loop_.attempts.insert(&active);
    series_ = &handles_->replicas[target];
    replica_id_ = active.replica->id();
    active.number = record_.attempts.size();
    active.series = series_;
    records::Attempt attempt;
    attempt.replica = replica_id_;
    attempt.kind = kind_of_attempt(kind);
    attempt.started_ns = nanos(std::chrono::steady_clock::now() - received_at());
    record_.attempts.push_back(std::move(attempt));
    if (client_gone()) active.end(GatewayError::ClientClosed, "the client left");
}

void RequestContext::end_attempt(ActiveAttempt& active, int status, std::string_view error, bool did_its_part) {
    loop_.attempts.erase(&active);
    std::replace(active_.begin(), active_.end(), &active, static_cast<ActiveAttempt*>(nullptr));
    records::Attempt& attempt = record_.attempts[active.number];
    attempt.status = status;
    attempt.error = error;
    attempt.duration_ns = nanos(std::chrono::steady_clock::now() - received_at()) - attempt.started_ns;
    if (did_its_part) return active.series->attempts_ok->add();
    core_->metrics.count_attempt(attempt.replica, error);
}

void RequestContext::lead(const ActiveAttempt& active, const LoadEstimate& estimate_of_it) {
    series_ = active.series;
    replica_id_ = active.replica->id();
    estimate = estimate_of_it;
}

void RequestContext::take_facts(const AnswerFacts& facts) {
    record_.replica = replica_id_;
    record_.finish_reason = facts.finish_reason;
    record_.events = facts.content_events;
    if (facts.content_events > 0) record_.ttft_ns = nanos(facts.first_content - received_at());
    if (facts.content_events > 1) {
        record_.itl_mean_ns = nanos(facts.last_content - facts.first_content) / (facts.content_events - 1);
        record_.itl_max_ns = facts.longest_gap_ns;
    }
    if (facts.usage) {
        if (route != nullptr) route->pool->balancer->note_answer(facts.usage->completion_tokens);
        record_.prompt_tokens = facts.usage->prompt_tokens;
        record_.completion_tokens = facts.usage->completion_tokens;
        record_.cached_tokens = facts.usage->cached_tokens;
        record_.cache_write_tokens = facts.usage->cache_written_tokens;
        record_.reasoning_tokens = facts.usage->reasoning_tokens;
        record_.recomputed_tokens = recomputed_tokens(estimate, *facts.usage);
        record_.usage_source = records::UsageSource::Engine;
    } else if (facts.content_events > 0 || (scan.stream && !facts.finish_reason.empty())) {
        // The engine's count did not come: an event is about a token, and four bytes of prompt are.
        record_.prompt_tokens = estimated_tokens(scan.prompt_bytes);
        record_.completion_tokens = facts.content_events;
        if (facts.usage_so_far.prompt_tokens > 0) {  // Anthropic's streams count the prompt at their start.
            record_.prompt_tokens = facts.usage_so_far.prompt_tokens;
            record_.cached_tokens = facts.usage_so_far.cached_tokens;
            record_.cache_write_tokens = facts.usage_so_far.cache_written_tokens;
        }
        record_.usage_source = records::UsageSource::Estimated;
    }
}

void RequestContext::note_attempt_tokens(const ActiveAttempt& active, std::int64_t delivered, std::int64_t wasted,
                                         std::string_view reason) {
    record_.attempts[active.number].tokens = delivered;
    record_.attempts[active.number].wasted = wasted;
    record_.wasted_tokens += wasted;
    if (wasted > 0) core_->metrics.count_wasted(record_.pool, "completion", reason, wasted);
}

void RequestContext::enter_tokens(const ActiveAttempt& active, const AnswerFacts& facts, bool stream,
                                  std::int64_t before) {
    AttemptTokens tokens{stream, facts.content_events, {}, estimated_tokens(scan.prompt_bytes) + before};
    if (facts.usage) {
        tokens.usage = own_usage(*facts.usage, before);
    } else if (facts.usage_so_far.prompt_tokens > 0) {
        tokens.estimated_prompt = facts.usage_so_far.prompt_tokens;
    }
    active.series->ledger.enter(tokens);
}

void RequestContext::release_bodies(bool keep_own) {
    upstream_body.clear();
    if (!keep_own) body = {};
}

// A continued answer is of several replicas: each has its share in the counters. What the first ones said nothing of
// was counted as it came. Returns how much that is.
std::int64_t RequestContext::count_earlier_tokens() {
    std::int64_t earlier = 0;
    const records::Attempt* const last = answering_attempt(record_);
    for (const records::Attempt& attempt : record_.attempts) {
        if (&attempt == last || attempt.tokens == 0) continue;
        earlier += attempt.tokens;
        core_->metrics.count_estimated_tokens(record_.pool, record_.model, attempt.replica, handles_->tenant, 0,
                                              attempt.tokens);
    }
    return earlier;
}

// A connection that never came about is no use of an engine.
bool RequestContext::reached_engine() const {
    return std::any_of(record_.attempts.begin(), record_.attempts.end(), [](const records::Attempt& attempt) {
        return attempt.status != 0 || (attempt.error != "resolve" && attempt.error != "connect_refused" &&
                                       attempt.error != "connect_timeout" && attempt.error != "tls");
    });
}
}  // namespace stoker::gateway
