#include "gateway/cache/cache_stage.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <utility>

#include "gateway/batch/batch_stage.h"
#include "gateway/cache/cache_parts.h"
#include "gateway/cache/follow.h"
#include "gateway/cache/leader_exchange.h"
#include "gateway/cache/semantic_stage.h"
#include "gateway/cache/semantic_text.h"
#include "gateway/degrade/degrade.h"
#include "gateway/hooks/scan_content.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

// How a model ends an answer that is worth keeping; not by a filter, an abort or an error.
constexpr std::array<std::string_view, 9> kGoodEnds = {"stop",       "length",        "tool_calls",
                                                       "end_turn",   "stop_sequence", "function_call",
                                                       "max_tokens", "tool_use",      "eos_token"};

// What the request may use, and what its answer may be used for.
struct CachePlan {
    std::shared_ptr<const CacheOptions> options;
    const CacheRule* rule = nullptr;  // Of `options`; null: none holds.
    CacheIdentity identity;
    CacheControlAsk ask;
    std::string_view bypass{};  // Why it may not be used; empty: it may.
    // What the question means, where answers to similar ones do.
    CacheKey bucket{};
    std::vector<float> meaning{};
};

std::string_view reason_to_bypass(const CachePlan& plan) {
    if (plan.ask.no_store) return "no-store";
    switch (plan.identity.bar) {
        case CacheBar::None:
            break;
        case CacheBar::Endpoint:
            return "endpoint";
        case CacheBar::TooLong:
            return "request_too_long";
        case CacheBar::SideEffects:
            return "side_effects";
        case CacheBar::SeveralChoices:
            if (!plan.rule->always) return "several_choices";
    }
    return plan.identity.deterministic || plan.rule->always ? "" : "not_deterministic";
}

CacheQuestion cache_question(const RequestContext& context) {
    const net::RequestHead& head = context.exchange().request();
    return {.target = head.target,
            .body = context.body,
            .scan = context.scan,
            .model = context.plan.steps.front().route->model,
            .tenant = context.identity->tenant,
            .headers = head.headers,
            .credentials_go_up = !context.withhold_credentials};
}

CachePlan plan_cache(const RequestContext& context, std::shared_ptr<const CacheOptions> options) {
    CachePlan plan;
    plan.options = std::move(options);
    const std::string& model = context.plan.steps.front().route->model;
    plan.rule = plan.options->rule_for(model, context.identity->tenant);
    if (plan.rule == nullptr) return plan;
    const net::RequestHead& head = context.exchange().request();
    plan.ask = parse_cache_control(head.headers.get("cache-control").value_or(""));
    plan.identity = identify(cache_question(context));
    plan.bypass = reason_to_bypass(plan);
    return plan;
}

bool fresh_enough(const CachedAnswer& answer, const CacheControlAsk& ask, SteadyTime now) {
    return !ask.max_age_s || now - answer.stored_at <= std::chrono::seconds(*ask.max_age_s);
}

asio::awaitable<void> give_again(RequestContext& context, std::shared_ptr<const CachedAnswer> answer,
                                 CacheStatus status, std::string detail) {
    answer->hits.fetch_add(1, std::memory_order_relaxed);
    context.take_step(context.plan.steps.front());
    context.note_cache(status, detail);
    const bool harmless = co_await scan_answer(context, AnswerSource::Cache, answer->body);
    if (!harmless) co_return;
    context.core().cache.parts().metrics.count_saved(answer->model, answer->prompt_tokens, answer->completion_tokens);
    context.record().finish_reason = answer->finish_reason;
    net::Response response;
    response.headers.add("content-type", answer->content_type);
    const auto age = std::chrono::steady_clock::now() - answer->stored_at;
    response.headers.add("age", std::to_string(std::chrono::duration_cast<std::chrono::seconds>(age).count()));
    add_marks(response.headers, context.marks());
    response.body = answer->body;
    co_await context.respond(std::move(response));
}

// Looks for an answer to a question that means about the same. If there is none, the plan knows what this one means.
asio::awaitable<bool> answer_similar(RequestContext& context, CachePlan& plan) {
    const SemanticOptions& options = plan.rule->semantic;
    auto question = read_question(context.body, options.whole_conversation, context.scan.stream);
    if (!question) co_return false;
    plan.bucket = key_with(cache_question(context), options.model + '\n' + question->around);
    plan.meaning = co_await embed(context, options.model, std::move(question->text));
    if (plan.meaning.empty() || context.client_gone()) co_return false;
    CacheParts& parts = context.core().cache.parts();
    const auto match = parts.questions.find(plan.bucket, plan.meaning, options.threshold);
    if (!match) co_return false;
    const SteadyTime now = std::chrono::steady_clock::now();
    auto answer = parts.answers.find(match->answer, now);
    if (!answer) parts.questions.forget(plan.bucket, match->answer);
    if (!answer || !fresh_enough(*answer, plan.ask, now)) co_return false;
    context.passed(RequestContext::Stage::Cache);
    std::array<char, 32> shown{};
    std::snprintf(shown.data(), shown.size(), "; similarity=%.2f", match->similarity);
    co_await give_again(context, std::move(answer), CacheStatus::Semantic, shown.data());
    co_return true;
}

// Everybody else would be told the same.
bool is_own_fault(int status) {
    return status == 400 || status == 404 || status == 413 || status == 422;
}

bool was_continued(const records::RequestRecord& record) {
    return std::any_of(record.attempts.begin(), record.attempts.end(), [&record](const records::Attempt& attempt) {
        return &attempt != answering_attempt(record) && attempt.tokens > 0;
    });
}

bool worth_keeping(RequestContext& context, const CachePlan& plan, const net::ResponseHead& head) {
    const records::RequestRecord& record = context.record();
    const bool ended = std::find(kGoodEnds.begin(), kGoodEnds.end(), record.finish_reason) != kGoodEnds.end();
    return plan.rule->exact && head.status == 200 && (ended || plan.identity.kind == AnswerKind::Computed) &&
           record.model == context.plan.steps.front().route->model && !was_continued(record);
}

void keep(RequestContext& context, const CachePlan& plan, const net::ResponseHead& head, std::string body) {
    const records::RequestRecord& record = context.record();
    auto answer = std::make_shared<CachedAnswer>();
    answer->tenant = context.identity->tenant;
    answer->model = record.model;
    answer->endpoint = record.endpoint;
    answer->request_id = record.id;
    answer->content_type = head.headers.get("content-type").value_or("application/json");
    answer->body = std::move(body);
    answer->stream = context.scan.stream;
    answer->finish_reason = record.finish_reason;
    answer->prompt_tokens = record.prompt_tokens;
    answer->completion_tokens = record.completion_tokens;
    answer->stored_at = std::chrono::steady_clock::now();
    answer->expires = answer->stored_at + plan.rule->ttl;
    CacheParts& parts = context.core().cache.parts();
    parts.answers.put(plan.identity.key, std::move(answer));
    if (!plan.meaning.empty()) parts.questions.put(plan.bucket, plan.meaning, plan.identity.key);
}

// What the leader's answer turned out to be: kept if it is worth it, before anybody can see its end.
Flight::State note_answer(RequestContext& context, const CachePlan& plan, Flight& flight, const net::ResponseHead& head,
                          const std::string& last) {
    CacheParts& cache = context.core().cache.parts();
    const std::size_t most = plan.options->max_answer_bytes;
    if (auto before = flight.whole(); before && before->size() + last.size() <= most) {
        if (worth_keeping(context, plan, head)) keep(context, plan, head, *std::move(before) + last);
    }
    const records::RequestRecord& record = context.record();
    flight.note_made({record.prompt_tokens, record.completion_tokens, record.finish_reason});
    cache.flights.land(plan.identity.key, flight);
    if (head.status < 400) return Flight::State::Whole;
    return is_own_fault(head.status) ? Flight::State::Refused : Flight::State::Failed;
}

// Takes the flight out of the list however the leader ends.
class Landing {
public:
    Landing(Flights& flights, const CacheKey& key, std::shared_ptr<Flight> flight)
        : flights_(flights), key_(key), flight_(std::move(flight)) {}
    ~Landing() { flights_.land(key_, *flight_); }
    Landing(const Landing&) = delete;
    Landing& operator=(const Landing&) = delete;

private:
    Flights& flights_;
    const CacheKey key_;
    const std::shared_ptr<Flight> flight_;
};

asio::awaitable<void> lead(RequestContext& context, const CachePlan& plan, std::shared_ptr<Flight> flight) {
    context.note_cache(CacheStatus::Miss);
    const Landing landing(context.core().cache.parts().flights, plan.identity.key, flight);
    Flight& leads = *flight;
    LeaderExchange exchange(context, std::move(flight), plan.options->max_answer_bytes,
                            [&context, &plan, &leads](const net::ResponseHead& head, const std::string& last) {
                                return note_answer(context, plan, leads, head, last);
                            });
    std::exception_ptr failure;
    try {
        co_await send(context);
    } catch (...) {
        failure = std::current_exception();
        exchange.abort();
    }
    co_await exchange.drained();
    if (failure) std::rethrow_exception(failure);
}

// Identical requests under way: one leads, the others follow it. If it fails, one of those leads next, and so on for a
// few rounds; what fails for all of them will not get better for the rest.
asio::awaitable<void> coalesce(RequestContext& context, const CachePlan& plan) {
    constexpr int kRounds = 3;
    CacheParts& cache = context.core().cache.parts();
    for (int round = 1;; ++round) {
        auto [flight, leads] = cache.flights.join(plan.identity.key, plan.options->max_answer_bytes);
        if (leads) co_return co_await lead(context, plan, std::move(flight));
        const Followed followed = co_await follow(context, std::move(flight), round >= kRounds);
        if (followed == Followed::Settled) co_return;
    }
}

asio::awaitable<void> send_if_allowed(RequestContext& context) {
    return context.cache_only ? refuse_uncached(context) : send(context);
}

asio::awaitable<void> use_cache(RequestContext& context) {
    CacheParts& cache = context.core().cache.parts();
    CachePlan plan = plan_cache(context, cache.options.get());
    if (plan.rule == nullptr) co_return co_await send_if_allowed(context);
    if (!plan.bypass.empty()) {
        context.note_cache(CacheStatus::Bypass, "; reason=" + std::string(plan.bypass));
        co_return co_await send_if_allowed(context);
    }
    const SteadyTime now = std::chrono::steady_clock::now();
    if (plan.rule->exact && !plan.ask.no_cache) {
        auto answer = cache.answers.find(plan.identity.key, now);
        if (answer && fresh_enough(*answer, plan.ask, now)) {
            context.passed(RequestContext::Stage::Cache);
            co_return co_await give_again(context, std::move(answer), CacheStatus::Hit, std::string());
        }
    }
    if (!plan.rule->semantic.model.empty() && plan.identity.kind == AnswerKind::Sampled && !plan.ask.no_cache) {
        const bool answered = co_await answer_similar(context, plan);
        if (answered) co_return;
    }
    context.passed(RequestContext::Stage::Cache);
    if (context.cache_only) co_return co_await refuse_uncached(context);
    if (plan.rule->coalesce && !plan.ask.no_cache) co_return co_await coalesce(context, plan);
    co_await lead(context, plan, std::make_shared<Flight>(plan.options->max_answer_bytes));
}

}  // namespace

asio::awaitable<void> answer_or_forward(RequestContext& context) {
    return context.core().cache.active() ? use_cache(context) : send_if_allowed(context);
}

}  // namespace stoker::gateway
