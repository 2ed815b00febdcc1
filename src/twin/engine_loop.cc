#include "twin/engine_loop.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stoker::twin {
namespace {

namespace asio = boost::asio;

// How often an engine with faults set looks at them when it has nothing to do; without any, it waits to be nudged.
constexpr std::chrono::milliseconds kLookUp{50};

}  // namespace

EngineLoop::EngineLoop(asio::io_context& loop, const Profile& profile, EngineMetrics& metrics, Watch watch)
    : loop_(loop), metrics_(metrics), watch_(std::move(watch)), scheduler_(profile), timer_(loop) {}

void EngineLoop::start() {
    asio::co_spawn(loop_, run(shared_from_this()), asio::detached);
}

void EngineLoop::stop() {
    stopping_ = true;
    nudge();
    ended_.get_future().wait_for(std::chrono::seconds{2});
}

void EngineLoop::nudge() {
    asio::post(loop_, [self = shared_from_this()] { self->timer_.cancel(); });
}

void EngineLoop::submit(SequenceSpec spec, EngineMetrics::Reason reason, std::shared_ptr<TokenFeed> feed,
                        bool generates) {
    SteadyTime now = std::chrono::steady_clock::now();
    asio::post(loop_, [self = shared_from_this(), spec = std::move(spec), reason, feed = std::move(feed), now,
                       generates]() mutable {
        Request request{.feed = std::move(feed),
                        .reason = reason,
                        .prompt_tokens = spec.prompt_tokens,
                        .generates = generates,
                        .times = {}};
        request.times.arrived = now;
        self->requests_.emplace(spec.id, std::move(request));
        self->scheduler_.submit(std::move(spec));
        self->timer_.cancel();
    });
}

void EngineLoop::cancel(SequenceId id) {
    asio::post(loop_, [self = shared_from_this(), id] {
        if (self->requests_.erase(id) == 0) return;
        self->scheduler_.cancel(id);
        self->metrics_.aborted();
        self->show();
    });
}

asio::awaitable<void> EngineLoop::run(std::shared_ptr<EngineLoop> self) {
    while (!self->stopping_) {
        EngineCondition condition = self->watch_();
        self->scheduler_.set_slowdown(condition.slowdown);
        self->scheduler_.set_kv_withheld(condition.kv_withheld);
        if (!condition.hung) self->step();
        self->show();
        SteadyTime look_up = condition.faulty ? std::chrono::steady_clock::now() + kLookUp : SteadyTime::max();
        auto due = condition.hung ? std::nullopt : self->scheduler_.wake_at();
        self->timer_.expires_at(due && *due < look_up ? *due : look_up);
        co_await self->timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    self->ended_.set_value();
}

void EngineLoop::step() {
    events_.clear();
    scheduler_.advance(std::chrono::steady_clock::now(), events_);
    for (const auto& event : events_) deliver(event);
}

void EngineLoop::deliver(const SchedulerEvent& event) {
    auto found = requests_.find(event.id);
    if (found == requests_.end()) return;
    Request& request = found->second;
    switch (event.kind) {
        case SchedulerEvent::Kind::Started:
            request.times.started = event.at;
            break;
        case SchedulerEvent::Kind::Preempted:
            break;
        case SchedulerEvent::Kind::Token:
            if (request.tokens++ == 0) {
                request.times.first = event.at;
                metrics_.prompt_computed(request.prompt_tokens);
                metrics_.first_token(event.at - request.times.arrived);
            } else {
                metrics_.next_token(event.at - request.times.last);
            }
            request.times.last = event.at;
            if (request.generates) metrics_.tokens_generated(1);
            asio::post(request.feed->executor, [feed = request.feed] {
                ++feed->available;
                feed->wake.cancel();
            });
            break;
        case SchedulerEvent::Kind::Finished:
            metrics_.finished(request.reason, request.prompt_tokens, request.generates ? request.tokens : 0,
                              request.times);
            requests_.erase(found);
            break;
    }
}

void EngineLoop::show() {
    metrics_.running().set(static_cast<double>(scheduler_.running()));
    metrics_.waiting().set(static_cast<double>(scheduler_.waiting()));
    metrics_.kv_usage().set(scheduler_.kv_usage());
    const SchedulerStats& stats = scheduler_.stats();
    metrics_.preemptions().add(static_cast<double>(stats.preemptions - shown_.preemptions));
    metrics_.prefix_queries().add(static_cast<double>(stats.prefix_queries - shown_.prefix_queries));
    metrics_.prefix_hits().add(static_cast<double>(stats.prefix_hits - shown_.prefix_hits));
    shown_ = stats;
}

}  // namespace stoker::twin
