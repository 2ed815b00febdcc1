#include "gateway/core.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/admission/admission.h"

namespace stoker::gateway {
namespace asio = boost::asio;

void ActiveAttempt::end(GatewayError cause, const std::string& reason) {
    if (cut) return;
    cut = cause;
    cut_reason = reason;
    if (call != nullptr) {
        call->cancel();
    } else {
        token.cancel();
    }
}

namespace {

// The connections of a burst are kept for the next one: to open one costs more than a request does.
net::ClientOptions for_requests() {
    net::ClientOptions options;
    options.idle_per_origin = 2048;
    return options;
}

}  // namespace

LoopState::LoopState(asio::io_context& context, RecordSink& sink)
    : loop(context), client(net::Client::create(context, for_requests())), records(sink.batch()) {
    net::ClientOptions probes;
    probes.idle_per_origin = 0;
    probe_client = net::Client::create(context, std::move(probes));
}

net::Client& LoopState::client_for(const Pool& pool) {
    if (!pool.provider || !pool.provider->access) return *client;
    const auto& access = pool.provider->access;
    for (const AccessClient& known : by_access_) {
        if (known.access.lock() == access) return *known.client;
    }
    std::erase_if(by_access_, [](const AccessClient& known) { return known.access.expired(); });
    net::ClientOptions options = for_requests();
    options.tls = access->options;
    options.proxy = access->proxy;
    return *by_access_.emplace_back(AccessClient{access, net::Client::create(loop, std::move(options))}).client;
}

void LoopState::close() {
    client.reset();
    probe_client.reset();
    by_access_.clear();
    records->write();
}

asio::awaitable<void> LoopState::end_of_turn() {
    constexpr std::size_t kFew = 3;
    if (attempts.size() > kFew) co_await asio::post(loop, asio::use_awaitable);
}

Core::Core(GatewayOptions given, net::Loops& given_loops, metrics::Registry& registry, RecordSink& given_sink,
           ReplicaObserver& given_observer)
    : options(given),
      loops(given_loops),
      sink(given_sink),
      observer(given_observer),
      metrics(registry),
      degradation(registry),
      shadows(registry),
      shared_limits(std::make_shared<SharedLimits>(limits, loops.at(loops.size() - 1), registry)),
      limit_metrics(registry),
      admission_metrics(registry),
      cache(registry) {
    for (std::size_t i = 0; i < loops.size(); ++i)
        loop_states.push_back(std::make_unique<LoopState>(loops.at(i), sink));
}

LoopState& Core::here(const asio::any_io_executor& executor) {
    for (const auto& state : loop_states) {
        if (&state->loop == &asio::query(executor, asio::execution::context)) return *state;
    }
    STOKER_CHECK(false, "a request runs on a loop that is not the gateway's");
}

void Core::publish(const std::shared_ptr<Replica>& replica, std::optional<Replica::Change> change) {
    if (!change) return;
    const ReplicaEvent& event = change->event;
    const bool bad = event.kind == ReplicaEvent::Kind::Down || event.kind == ReplicaEvent::Kind::Hung;
    log::write(bad ? log::Level::Warn : log::Level::Info, "replica " + std::string(to_string(event.kind)),
               {{"replica", event.replica}, {"reason", event.reason}, {"evidence", join(event.evidence, "; ")}});
    metrics.count_event(event.replica, event.kind);
    if (event.kind == ReplicaEvent::Kind::Recovered || event.kind == ReplicaEvent::Kind::Readmitted) {
        forget_cache(*replica);
    }
    if (change->cut_requests) {
        const bool hung = event.kind == ReplicaEvent::Kind::Hung;
        cut_requests(replica, hung ? GatewayError::StreamStalled : GatewayError::StreamCut,
                     "the replica was found " + std::string(to_string(event.kind)) + ": " + event.reason);
    }
    refresh_admission(routes.get()->find_pool(replica->pool()));
    observer.on_replica_event(event);
}

// What answers again is likely to be another process, with an empty cache.
void Core::forget_cache(Replica& replica) {
    replica.load().forget_engine();
    const auto table = routes.get();
    const Pool* pool = table->find_pool(replica.pool());
    for (std::size_t i = 0; pool != nullptr && i < pool->targets.size(); ++i) {
        if (pool->targets[i].replica.get() == &replica) pool->balancer->forget(i);
    }
}

void Core::cut_requests(const std::shared_ptr<Replica>& replica, GatewayError cause, const std::string& reason) {
    for (const auto& state : loop_states) {
        asio::post(state->loop, [self = shared_from_this(), &attempts = state->attempts, replica, cause, reason]() {
            // Ending one may run its coroutine, which takes it out of the set.
            const std::vector<ActiveAttempt*> now(attempts.begin(), attempts.end());
            for (ActiveAttempt* attempt : now) {
                if (attempts.contains(attempt) && attempt->replica == replica.get()) attempt->end(cause, reason);
            }
        });
    }
}

}  // namespace stoker::gateway
