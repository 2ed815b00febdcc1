#include "gateway/limit/limit_stage.h"

#include <utility>

#include "gateway/request_context.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

void add_view(net::Headers& headers, const std::string& what, const std::optional<RateView>& view) {
    if (!view) return;
    headers.add("x-ratelimit-limit-" + what, std::to_string(view->limit));
    headers.add("x-ratelimit-remaining-" + what, std::to_string(view->remaining));
    headers.add("x-ratelimit-reset-" + what, rate_duration(view->reset));
}

// Whole seconds, as HTTP has it, and the milliseconds that the OpenAI SDKs prefer where they are given.
void add_retry_after(net::Headers& headers, Duration wait) {
    headers.add("retry-after", std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
    headers.add("retry-after-ms", std::to_string(wait.count()));
}

LimitAsk ask_of(RequestContext& context) {
    const ModelRoute& route = *context.plan.steps.front().route;
    const Core& core = context.core();
    return {.tenant = context.identity->tenant,
            .key = context.identity->key_id,
            .model = route.model,
            .tokens = core.estimator.estimate(route.model, context.scan.prompt_bytes, context.scan.max_tokens),
            .request_id = context.id()};
}

}  // namespace

std::string rate_duration(Duration duration) {
    const std::int64_t millis = duration.count();
    if (millis < 1000) return std::to_string(millis) + "ms";
    const std::int64_t seconds = millis / 1000;
    std::string text;
    if (seconds >= 3600) text += std::to_string(seconds / 3600) + "h";
    if (seconds >= 60) text += std::to_string(seconds / 60 % 60) + "m";
    text += std::to_string(seconds % 60);
    if (const std::int64_t rest = millis % 1000; rest != 0) {
        const std::string digits = std::to_string(1000 + rest).substr(1);
        text += "." + digits.substr(0, digits.find_last_not_of('0') + 1);
    }
    return text + "s";
}

net::Headers rate_headers(const RateViews& views) {
    net::Headers headers;
    add_view(headers, "requests", views.requests);
    add_view(headers, "tokens", views.tokens);
    return headers;
}

GatewayError error_of(LimitKind kind) {
    switch (kind) {
        case LimitKind::Concurrent:
            return GatewayError::ConcurrencyLimited;
        case LimitKind::DayTokens:
            return GatewayError::DayLimited;
        default:
            return GatewayError::RateLimited;
    }
}

std::string describe(const LimitRefusal& refusal) {
    std::string whose = "the gateway";
    if (refusal.scope != LimitScope::Global) whose = std::string(to_string(refusal.scope)) + " " + refusal.name;
    return whose + " is at its limit of " + std::to_string(refusal.limit) + " " + std::string(to_string(refusal.kind)) +
           ": used " + std::to_string(refusal.used) + ", reserved by requests under way " +
           std::to_string(refusal.reserved) + ", asked for " + std::to_string(refusal.asked) + "; try again in " +
           rate_duration(refusal.retry_after);
}

asio::awaitable<bool> reserve_limits(RequestContext& context) {
    Core& core = context.core();
    if (!core.limits.active()) co_return true;
    LimitVerdict verdict;
    if (core.shared_limits->sharing()) {
        verdict = co_await core.shared_limits->reserve(ask_of(context));
    } else {
        verdict = core.limits.reserve(ask_of(context), Moment::now());
    }
    if (!verdict.refusal) {
        context.hold(verdict.reservation);
        co_return true;
    }
    const LimitRefusal& refusal = *verdict.refusal;
    core.limit_metrics.count_refusal(refusal.scope, refusal.kind);
    net::Headers headers = rate_headers(verdict.views);
    add_retry_after(headers, refusal.retry_after);
    std::string param = std::string(to_string(refusal.scope)) + "." + std::string(to_string(refusal.kind));
    co_await context.refuse(error_of(refusal.kind), describe(refusal), std::move(headers), std::move(param));
    co_return false;
}

}  // namespace stoker::gateway
