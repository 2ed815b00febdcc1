#include "gateway/batch/batch_stage.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "gateway/batch/batch.h"
#include "gateway/batch/inner_request.h"
#include "gateway/cache/cache_parts.h"
#include "gateway/forward.h"
#include "gateway/hooks/scan_content.h"
#include "wire/dialect.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

using Fate = BatchOutcome::Fate;

// Trying the parts one by one would only add to the load.
bool is_overload(int status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

// By the texts' lengths. Who has an answer knows better, by its own usage.
void share_attempts(const records::RequestRecord& made, std::span<const BatchItem* const> items,
                    std::vector<BatchOutcome>& outcomes) {
    std::vector<std::size_t> weights;
    for (const BatchItem* item : items) weights.push_back(item->bytes());
    for (const records::Attempt& attempt : made.attempts) {
        const auto tokens = share_out(attempt.tokens, weights);
        const auto wasted = share_out(attempt.wasted, weights);
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            records::Attempt own = attempt;
            own.tokens = tokens[i];
            own.wasted = wasted[i];
            outcomes[i].attempts.push_back(std::move(own));
        }
    }
}

std::vector<BatchOutcome> outcomes_of(BatchApi api, std::span<const BatchItem* const> items, InnerAnswer answer) {
    std::vector<BatchOutcome> outcomes(items.size());
    for (BatchOutcome& outcome : outcomes) outcome.fate = Fate::Alone;
    if (!answer.response) return outcomes;
    net::Response& response = *answer.response;
    net::Headers headers;
    headers.add("content-type", std::string(response.headers.get("content-type").value_or("application/json")));
    if (const auto wait = response.headers.get("retry-after")) headers.add("retry-after", std::string(*wait));
    const auto made = std::make_shared<const records::RequestRecord>(std::move(answer.record));
    share_attempts(*made, items, outcomes);
    std::vector<std::string> parts;
    if (response.status == 200) {
        auto split = split_answer(api, response.body, items);
        if (!split) return outcomes;
        parts = *std::move(split);
    } else if (is_overload(response.status)) {
        parts.assign(items.size(), response.body);
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        outcomes[i].fate = response.status == 200 ? Fate::Answered : Fate::Failed;
        outcomes[i].response = {response.status, headers, std::move(parts[i])};
        outcomes[i].made = made;
    }
    return outcomes;
}

// One request of a batch, from joining it to its end.
class Member {
public:
    Member(RequestContext& context, BatchApi api, const BatchRule& rule, const CacheKey& key, Batches::Joined joined,
           WaitTimer timer)
        : context_(context),
          api_(api),
          rule_(rule),
          key_(key),
          batch_(std::move(joined.batch)),
          place_(joined.place),
          timer_(std::move(timer)) {
        context_.take_step(context_.plan.steps.front());
        deadline_ = context_.received_at() + context_.route->deadlines.total;
        context_.exchange().on_client_gone([&context, timer = timer_]() {
            context.note_client_gone();
            timer->cancel();
        });
    }
    ~Member() {
        if (place_ == 0) {
            context_.core().cache.parts().batches.remove(key_, *batch_);
            batch_->give_back();
        }
        batch_->leave(timer_);
        context_.watch_client();
    }
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    // False: the request must go by itself.
    asio::awaitable<bool> run() {
        if (place_ == 0) {
            co_await gather();
            co_await lead();
        }
        for (;;) {
            timer_->expires_at(deadline_);
            BatchOutcome outcome = batch_->look(place_, timer_);
            if (context_.client_gone()) {
                context_.settle(Outcome::Cancelled, GatewayError::ClientClosed);
                co_return true;
            }
            if (outcome.fate == Fate::Alone) co_return false;
            if (outcome.fate != Fate::Pending) {
                co_await give(std::move(outcome));
                co_return true;
            }
            if (std::chrono::steady_clock::now() >= deadline_) {
                co_await context_.refuse(GatewayError::UpstreamTimeout,
                                         "the request took longer than its whole deadline");
                co_return true;
            }
            co_await wait();
        }
    }

private:
    asio::awaitable<void> wait() { (void)co_await timer_->async_wait(asio::as_tuple(asio::use_awaitable)); }

    // Until the batch is full, or has waited long enough.
    asio::awaitable<void> gather() {
        const SteadyTime until = std::min(std::chrono::steady_clock::now() + rule_.max_wait, deadline_);
        while (!batch_->full() && std::chrono::steady_clock::now() < until) {
            timer_->expires_at(until);
            (void)batch_->look(place_, timer_);
            if (batch_->full()) break;
            co_await wait();
        }
    }

    asio::awaitable<void> lead() {
        CacheParts& parts = context_.core().cache.parts();
        context_.passed(RequestContext::Stage::Queue);
        parts.batches.remove(key_, *batch_);
        const std::vector<BatchItem> items = batch_->close();
        if (items.size() == 1) co_return batch_->give_back();
        std::vector<const BatchItem*> all;
        for (const BatchItem& item : items) all.push_back(&item);
        InnerRequest request(context_, context_.exchange().request(), batch_body(api_, context_.scan.model, all),
                             context_.plan, context_.endpoint);
        batch_->on_abandoned(request.give_up_later());
        auto answer = co_await request.run();
        batch_->on_abandoned({});
        auto outcomes = outcomes_of(api_, all, std::move(answer));
        parts.batch_metrics.count(context_.plan.steps.front().route->model, items.size(),
                                  outcomes.front().fate == Fate::Answered);
        batch_->end(std::move(outcomes));
    }

    asio::awaitable<void> give(BatchOutcome outcome) {
        context_.adopt(*outcome.made, std::move(outcome.attempts));
        if (outcome.fate == Fate::Answered) {
            const auto scan = wire::scan_answer(context_.endpoint.dialect, outcome.response.body);
            AnswerFacts facts;
            if (scan) {
                facts.usage = scan->usage;
                facts.finish_reason = wire::unescape(scan->finish_reason);
            }
            context_.take_facts(facts);
            if (facts.usage) context_.correct_attempt_tokens(facts.usage->completion_tokens);
            const bool harmless = co_await scan_answer(context_, AnswerSource::Engine, outcome.response.body);
            if (!harmless) co_return;
        }
        add_marks(outcome.response.headers, context_.marks());
        const std::string_view code = outcome.made->error;
        co_await context_.respond(std::move(outcome.response), code);
    }

    RequestContext& context_;
    const BatchApi api_;
    const BatchRule& rule_;
    const CacheKey key_;
    const std::shared_ptr<Batch> batch_;
    const std::size_t place_;
    const WaitTimer timer_;
    SteadyTime deadline_{};
};

// What the requests of a batch have in common beside their bodies.
CacheKey batch_key(const RequestContext& context, const std::string& others) {
    const net::RequestHead& head = context.exchange().request();
    std::string text = context.scan.model + '\n' + context.plan.steps.front().route->model + '\n' + head.target;
    for (const std::string_view name : {"authorization", "x-api-key", "api-key", "openai-beta"}) {
        const bool credential = name != "openai-beta";
        text += '\n';
        if (!credential || !context.withhold_credentials) text += head.headers.get(name).value_or("");
    }
    return crypto::sha256(text + '\n' + others);
}

asio::awaitable<void> send_together(RequestContext& context) {
    CacheParts& parts = context.core().cache.parts();
    const auto options = parts.options.get();
    const auto api = batch_api(context.exchange().request().path());
    const BatchRule* rule = nullptr;
    if (api) rule = options->batch_rule_for(context.plan.steps.front().route->model, *api == BatchApi::Embeddings);
    std::optional<BatchItem> item;
    if (rule != nullptr) item = read_batch_item(*api, context.body);
    const auto fits = [rule](const BatchItem& one) {
        return static_cast<std::int64_t>(one.inputs.size()) < rule->max_inputs;
    };
    if (!item || !fits(*item)) co_return co_await forward(context);
    const CacheKey key = batch_key(context, item->others);
    const auto executor = co_await asio::this_coro::executor;
    bool settled = false;
    {
        Member member(context, *api, *rule, key,
                      parts.batches.join(key, *std::move(item), static_cast<std::size_t>(rule->max_inputs)),
                      std::make_shared<asio::steady_timer>(executor));
        settled = co_await member.run();
    }
    if (!settled) co_await forward(context);
}

}  // namespace

asio::awaitable<void> send(RequestContext& context) {
    return context.core().cache.batching() ? send_together(context) : forward(context);
}

}  // namespace stoker::gateway
