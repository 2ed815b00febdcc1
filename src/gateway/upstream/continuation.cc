#include "gateway/upstream/continuation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gateway/upstream/attempt.h"
#include "net/async.h"

namespace stoker::gateway {
namespace asio = boost::asio;
using internal::clock_now;
namespace {

constexpr std::string_view kChat = "/v1/chat/completions";
constexpr std::string_view kCompletions = "/v1/completions";

// Longer prompts are not kept while their answers stream.
constexpr std::size_t kMostBody = 1024 * 1024;

Continuation barred(RequestContext& context, StreamProgress& progress, std::string_view why) {
    progress.message += " (not continued: " + std::string(why) + ")";
    context.core().metrics.count_continuation(context.route->pool->name, why);
    return Continuation::Barred;
}

}  // namespace

void StreamProgress::take(const StreamRelay& relay) {
    begun = true;
    const AnswerFacts& news = relay.facts();
    if (identity.id.empty() && !relay.first_event().empty()) identity = wire::read_identity(relay.first_event());
    answer.text += relay.text();
    answer.tokens = news.usage ? news.usage->completion_tokens : answer.tokens + news.content_events;
    events += news.content_events;
    plain = plain && relay.plain_text();
    facts = joined(facts, news);
    sequence = relay.sequence();
}

AnswerFacts joined(const AnswerFacts& before, AnswerFacts now) {
    if (before.content_events == 0) return now;
    now.longest_gap_ns = std::max(now.longest_gap_ns, before.longest_gap_ns);
    if (now.content_events == 0) {
        now.last_content = before.last_content;
    } else {
        const auto gap = std::chrono::duration_cast<std::chrono::nanoseconds>(now.first_content - before.last_content);
        now.longest_gap_ns = std::max<std::int64_t>(now.longest_gap_ns, gap.count());
    }
    now.first_content = before.first_content;
    now.content_events += before.content_events;
    if (now.finish_reason.empty()) now.finish_reason = before.finish_reason;
    return now;
}

bool may_continue(const RequestContext& context) {
    return context.scan.stream && (context.endpoint.path == kChat || context.endpoint.path == kCompletions) &&
           context.route->pool->continuation.max > 0 && context.body.size() <= kMostBody;
}

bool can_continue(const RequestContext& context, const Target& target) {
    if (target.continuation == ContinuationMode::Off || target.replica->refuses_continuation(clock_now())) return false;
    return context.endpoint.path != kChat || target.continuation == ContinuationMode::On ||
           continues_messages(target.replica->engine());
}

Continuation prepare_continuation(RequestContext& context, StreamProgress& progress) {
    const Pool& pool = *context.route->pool;
    if (pool.continuation.max == 0) return barred(context, progress, "off");
    if (progress.continuations >= pool.continuation.max) return barred(context, progress, "too_often");
    if (!may_continue(context)) return barred(context, progress, "not_text");
    if (!progress.plain || progress.identity.id.empty()) return barred(context, progress, "not_text");
    if (progress.answer.text.empty()) return barred(context, progress, "nothing_to_continue");
    auto request = wire::continue_request(context.body, progress.answer);
    if (!request) return barred(context, progress, request.error().message);
    if (request->complete) return Continuation::Complete;
    const bool anyone = std::any_of(pool.targets.begin(), pool.targets.end(),
                                    [&](const Target& target) { return can_continue(context, target); });
    if (!anyone) return barred(context, progress, "no_engine");
    ++progress.continuations;
    progress.body = std::move(request->body);
    progress.splice.emplace(progress.identity, progress.answer, progress.events, std::move(request->held_back));
    context.core().metrics.count_continuation(pool.name, "begun");
    log::info("stream continues on another replica",
              {{"request_id", context.id()}, {"tokens", progress.answer.tokens}, {"why", progress.message}});
    return Continuation::Ready;
}

namespace {

// What all chunks of the stream begin with.
std::string chunk_begin(const RequestContext& context, const wire::StreamIdentity& identity) {
    const bool chat = context.endpoint.path == kChat;
    std::string begin =
        "data: {\"id\":" + identity.id + ",\"object\":\"" + (chat ? "chat.completion.chunk" : "text_completion") + "\"";
    if (!identity.created.empty()) begin += ",\"created\":" + identity.created;
    if (!identity.model.empty()) begin += ",\"model\":" + identity.model;
    return begin;
}

}  // namespace

std::string missing_usage(RequestContext& context, const wire::StreamIdentity& identity, std::int64_t completion) {
    if (context.scan.usage != wire::UsageAsk::Asked || identity.id.empty()) return {};
    const std::int64_t prompt = context.record().prompt_tokens;
    return fmt::format(
        "{},\"choices\":[],\"usage\":{{\"prompt_tokens\":{},\"completion_tokens\":{},\"total_tokens\":{}}}}}\n\n",
        chunk_begin(context, identity), prompt, completion, prompt + completion);
}

asio::awaitable<void> end_complete(RequestContext& context, StreamProgress& progress) {
    progress.facts.finish_reason = "length";
    context.take_facts(progress.facts);
    const bool chat = context.endpoint.path == kChat;
    std::string last = chunk_begin(context, progress.identity) + R"(,"choices":[{"index":0,)" +
                       std::string(chat ? R"("delta":{})" : R"("text":"")") + ",\"finish_reason\":\"length\"}]}\n\n";
    last += missing_usage(context, progress.identity, progress.answer.tokens);
    last += wire::last_event(context.endpoint.dialect);
    context.count_response_bytes(last.size());
    context.settle(Outcome::Ok, 200, "");
    context.account();
    auto sent = co_await context.exchange().write(last);
    if (sent) sent = co_await context.exchange().finish();
}

asio::awaitable<void> end_broken(RequestContext& context, StreamProgress& progress) {
    context.take_facts(progress.facts);
    if (context.client_gone()) co_return context.settle(Outcome::Cancelled, GatewayError::ClientClosed);
    const ErrorInfo& entry = info(progress.error);
    context.note_failing(progress.error);
    const std::string last = progress.engine_event.empty() ? error_event(progress.error, progress.message,
                                                                         context.endpoint.dialect, progress.sequence)
                                                           : progress.engine_event;
    log::warn("stream broken", {{"request_id", context.id()},
                                {"code", entry.code},
                                {"attempts", context.record().attempts.size()},
                                {"message", progress.message}});
    const auto told = co_await context.exchange().write(last);
    if (!told) co_return context.settle(Outcome::Cancelled, GatewayError::ClientClosed);
    context.count_response_bytes(last.size());
    // SDKs close the connection themselves once they have read the event; a cut that overtakes it would hide it.
    const SteadyTime until = clock_now() + context.core().options.error_linger;
    while (!context.exchange().client_gone() && clock_now() < until) (void)co_await net::sleep_for(Duration{10});
    context.exchange().abort();
    context.settle(Outcome::Truncated, 200, entry.code);
}

}  // namespace stoker::gateway
