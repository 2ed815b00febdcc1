#include "gateway/upstream/prober.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "base/text.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kMostAnswer = 1024 * 1024;  // vLLM's entry of one model has 500 bytes.
constexpr Duration kBetweenLists{5'000};          // Adapters are loaded and unloaded while an engine runs.

SteadyTime clock_now() {
    return std::chrono::steady_clock::now();
}

struct ProbePlan {
    std::shared_ptr<Replica> replica;
    std::shared_ptr<const Pool> pool;
    HealthOptions options;
    std::string path_prefix;
    std::string model;  // For the request that proves that a hung replica works again.
    std::string api_key;
};

// Sends a probe as requests are sent: with the key, to the place and by the trust that the pool's have.
void address_to_provider(net::ClientRequest& request, const ProbePlan& plan, wire::Dialect dialect) {
    const ProviderOptions& provider = plan.pool->provider->options;
    static const std::string kProbe = "probe";
    request.target = provider_target(provider, plan.path_prefix, request.target);
    request.headers = provider_headers(provider, {.client = request.headers,
                                                  .dialect = dialect,
                                                  .api_key = plan.api_key,
                                                  .request_id = kProbe,
                                                  .traceparent = {}});
    request.headers.erase("traceparent");
}

// Where a provider with that API takes the smallest of questions.
std::string_view question_path(const Pool& pool) {
    const bool anthropic = pool.provider && pool.provider->options.api == ProviderApi::Anthropic;
    return anthropic ? "/v1/messages" : "/v1/chat/completions";
}

net::ClientRequest probe_request(const ProbePlan& plan, bool real, const std::string& body) {
    net::ClientRequest request;
    request.target = plan.options.path;
    if (real) {
        request.method = "POST";
        request.target = question_path(*plan.pool);
        request.headers.add("content-type", "application/json");
        request.body = body;
    }
    if (plan.pool->provider) {
        address_to_provider(request, plan, wire::Dialect::Messages);
        return request;
    }
    request.target.insert(0, plan.path_prefix);
    if (!plan.api_key.empty()) request.headers.add("authorization", "Bearer " + plan.api_key);
    return request;
}

ProbeResult result_of(net::Fault fault) {
    switch (fault) {
        case net::Fault::ConnectTimeout:
        case net::Fault::HeadTimeout:
        case net::Fault::BodyTimeout:
            return ProbeResult::TimedOut;
        case net::Fault::ConnectRefused:
        case net::Fault::Resolve:
            return ProbeResult::Refused;
        default:
            return ProbeResult::Unwell;
    }
}

// A probe of our own engines keeps no connection.
net::Client& client_of(LoopState& loop, const ProbePlan& plan) {
    return plan.pool->provider ? loop.client_for(*plan.pool) : *loop.probe_client;
}

// REQUIRES: `plan` and `token` outlive it.
asio::awaitable<Probe> probe_once(net::Client& client, const ProbePlan& plan, net::CancelToken& token) {
    const bool real = plan.replica->needs_real_probe();
    const Duration timeout = real ? plan.options.probe_answer : plan.options.timeout;
    const net::Deadlines deadlines{std::min(timeout, plan.options.timeout), timeout, timeout};
    const std::string body =
        R"({"model":)" + quote_json(plan.model) + R"(,"messages":[{"role":"user","content":"ping"}],"max_tokens":1})";
    const SteadyTime began = clock_now();
    int status = 0;
    Error failure{Errc::Internal, ""};
    auto call = co_await client.send(plan.replica->url(), probe_request(plan, real, body), deadlines, &token);
    if (call) {
        status = (*call)->head().status;
        auto answer = co_await (*call)->read_all(kMostAnswer);
        if (!answer && answer.error().code != Errc::ResourceExhausted) {
            status = 0;
            failure = std::move(answer).error();
        }
    } else {
        failure = std::move(call).error();
    }
    if (status == 0) {
        const net::Fault fault = net::fault_of(failure);
        co_return Probe{result_of(fault), std::string(net::to_string(fault)), real};
    }
    const auto took = std::chrono::duration_cast<Duration>(clock_now() - began).count();
    std::string detail = fmt::format("{} in {} ms{}", status, took, real ? " to a real request" : "");
    co_return Probe{status < 500 ? ProbeResult::Healthy : ProbeResult::Unwell, std::move(detail), real};
}

// What the engine answers there; "" for any status but 200, empty if it did not answer. REQUIRES: as above.
asio::awaitable<std::optional<std::string>> ask(net::Client& client, const ProbePlan& plan, std::string_view path,
                                                net::CancelToken& token) {
    net::ClientRequest request;
    request.target = plan.path_prefix + std::string(path);
    if (!plan.api_key.empty()) request.headers.add("authorization", "Bearer " + plan.api_key);
    const net::Deadlines deadlines{plan.options.timeout, plan.options.timeout, plan.options.timeout};
    auto call = co_await client.send(plan.replica->url(), std::move(request), deadlines, &token);
    if (!call) co_return std::nullopt;
    auto answer = co_await (*call)->read_all(kMostAnswer);
    if (!answer || (*call)->head().status != 200) co_return std::string();
    co_return *std::move(answer);
}

// What the engine calls itself, and the adapters that it has. REQUIRES: as above.
asio::awaitable<EngineKind> ask_engine(net::Client& client, const ProbePlan& plan, net::CancelToken& token) {
    const auto models = co_await ask(client, plan, "/v1/models", token);
    if (!models) co_return EngineKind::Unknown;
    const EngineKind kind = engine_of_models(*models);
    if (kind == EngineKind::Unknown) co_return EngineKind::Other;  // It has been asked; that will do.
    EngineReport report{.load = {}, .knows_adapters = true, .adapters = {}};
    if (kind == EngineKind::LlamaCpp) {
        const auto listed = co_await ask(client, plan, "/lora-adapters", token);
        if (!listed) co_return kind;
        report.adapters = adapters_of_llama_cpp(*listed);
    } else {
        report.adapters = adapters_of_models(*models);
    }
    plan.replica->load().report(report);
    co_return kind;
}

}  // namespace

// One replica's probing. `ended` may be set from anywhere; the rest is touched only on its loop.
struct Probers::Probing {
    Probing(asio::io_context& context, LoopState& loop_state) : timer(context), state(loop_state) {}

    std::atomic<bool> ended{false};
    Snapshot<ProbePlan> plan;
    asio::steady_timer timer;
    net::CancelToken* token = nullptr;  // Of the probe under way.
    LoopState& state;
};

// Counts the coroutines that are alive; the last ones may outlive the Probers.
struct Probers::Living {
    std::mutex mutex;
    std::condition_variable none;
    int count = 0;  // Guarded by mutex.
};

Probers::Probers(std::shared_ptr<Core> core) : core_(std::move(core)), living_(std::make_shared<Living>()) {}

asio::awaitable<void> Probers::run(std::shared_ptr<Core> core, std::shared_ptr<Probing> probing) {
    SteadyTime list_due{};
    while (!probing->ended) {
        const auto plan = probing->plan.get();
        const auto& replica = plan->replica;
        core->publish(replica, replica->on_tick(clock_now()));
        net::CancelToken token;
        probing->token = &token;
        Probe probe = co_await probe_once(client_of(probing->state, *plan), *plan, token);
        if (probe.result != ProbeResult::Healthy) {
            replica->set_engine(EngineKind::Unknown);  // What comes back may be another one.
        } else if ((replica->engine() == EngineKind::Unknown || clock_now() >= list_due) && !plan->pool->provider &&
                   !probing->ended) {
            const EngineKind before = replica->engine();
            const EngineKind kind = co_await ask_engine(*probing->state.probe_client, *plan, token);
            // An engine does not become another one while it is healthy; a list that once did not come says nothing.
            if (before == EngineKind::Unknown) replica->set_engine(kind);
            list_due = clock_now() + kBetweenLists;
        }
        probing->token = nullptr;
        if (probing->ended) break;
        core->publish(replica, replica->on_probe(probe, clock_now()));
        probing->timer.expires_after(replica->probe_delay());
        (void)co_await probing->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

void Probers::follow(const RouteTable& table) {
    std::lock_guard lock(mutex_);
    std::map<std::string, std::shared_ptr<Probing>> before;
    before.swap(by_id_);
    for (const auto& pool : table.pools()) {
        for (const Target& target : pool->targets) {
            if (!pool->health.probed) continue;
            const std::string& id = target.replica->id();
            auto plan = std::make_shared<ProbePlan>();
            const auto models = target.replica->status().models;
            const std::string first = models.empty() ? "" : models.front();
            const std::string asked = pool->provider ? pool->provider->options.name_of(first) : first;
            *plan = {target.replica,
                     pool,
                     pool->health,
                     target.path_prefix,
                     target.engine_model.empty() ? asked : target.engine_model,
                     target.api_key};
            const auto found = before.find(id);
            const bool stays = found != before.end() && found->second->plan.get()->replica == target.replica;
            if (stays) {
                found->second->plan.set(std::move(plan));
                by_id_.insert(before.extract(found));
                continue;
            }
            LoopState& state = *core_->loop_states[next_loop_++ % core_->loop_states.size()];
            auto probing = std::make_shared<Probing>(state.loop, state);
            probing->plan.set(std::move(plan));
            by_id_[id] = probing;
            {
                std::lock_guard alive(living_->mutex);
                ++living_->count;
            }
            auto done = [living = living_](std::exception_ptr) {
                std::lock_guard alive(living->mutex);
                if (--living->count == 0) living->none.notify_all();
            };
            asio::co_spawn(state.loop, run(core_, probing), std::move(done));
        }
    }
    for (const auto& [id, probing] : before) end(probing);
}

void Probers::end(const std::shared_ptr<Probing>& probing) {
    probing->ended = true;
    asio::post(probing->state.loop, [probing]() {
        probing->timer.cancel();
        if (probing->token != nullptr) probing->token->cancel();
    });
}

void Probers::stop(Duration limit) {
    {
        std::lock_guard lock(mutex_);
        for (const auto& [id, probing] : by_id_) end(probing);
        by_id_.clear();
    }
    std::unique_lock alive(living_->mutex);
    living_->none.wait_for(alive, limit, [this]() { return living_->count == 0; });
}

}  // namespace stoker::gateway
