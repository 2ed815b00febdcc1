#include "gateway/gateway.h"

#include <boost/asio/this_coro.hpp>
#include <set>
#include <utility>

#include "gateway/cache/cache_parts.h"
#include "gateway/core.h"
#include "gateway/forward.h"
#include "gateway/request_context.h"
#include "gateway/serve.h"
#include "gateway/upstream/outlier_watch.h"
#include "gateway/upstream/prober.h"

namespace stoker::gateway {
namespace asio = boost::asio;

Gateway::Gateway(GatewayOptions options, net::Loops& loops, metrics::Registry& registry, RecordSink& sink,
                 ReplicaObserver& observer)
    : core_(std::make_shared<Core>(options, loops, registry, sink, observer)),
      probers_(std::make_unique<Probers>(core_)),
      release_(registry),
      outliers_(std::make_unique<OutlierWatch>()) {}

std::unique_ptr<Gateway> Gateway::create(GatewayOptions options, net::Loops& loops, metrics::Registry& registry,
                                         RecordSink& sink, ReplicaObserver& observer) {
    std::unique_ptr<Gateway> gateway(new Gateway(options, loops, registry, sink, observer));
    registry.on_gather([weak = std::weak_ptr<Core>(gateway->core_)]() {
        const auto core = weak.lock();
        if (!core) return;
        for (const auto& pool : core->routes.get()->pools()) {
            for (const Target& target : pool->targets) core->metrics.show_replica(target.replica->status());
        }
        core->limit_metrics.show(core->limits.report(Moment::now()));
        core->admission_metrics.show(admission_statuses(*core->routes.get(), 0));
    });
    return gateway;
}

Gateway::~Gateway() {
    stop();
    // A job that still waits on one of the loops may keep the core until that loop is destroyed. The connections must
    // not wait for it: each belongs to its own loop, which may be gone before.
    for (const auto& state : core_->loop_states) state->close();
}

Result<Unit> Gateway::apply(const Routes& routes) {
    MutexLock lock(mutex_);
    return rebuild(routes);
}

Result<Unit> Gateway::rebuild(const Routes& routes) {
    const auto before = core_->routes.get();
    Routes now_in_effect = routes;
    now_in_effect.routing = release_.in_effect(routes.routing, now());
    TRY(auto table, RouteTable::build(now_in_effect, *before, core_->metrics, release_.canaries()));
    routes_ = routes;
    drain_as_before(*table);
    configure_admission(*table, core_->admission_metrics);
    core_->shadows.configure(now_in_effect.routing.shadows);
    core_->routes.set(table);
    for (const auto& pool : before->pools()) {
        for (const Target& target : pool->targets) {
            if (table->find_replica(target.replica->id())) continue;
            core_->metrics.forget_replica(pool->name, target.replica->id());
        }
    }
    if (started_) probers_->follow(*table);
    return Unit{};
}

void Gateway::tick_outliers() {
    MutexLock lock(mutex_);
    outliers_->tick(*core_, *core_->routes.get(), std::chrono::steady_clock::now());
}

void Gateway::start() {
    MutexLock lock(mutex_);
    started_ = true;
    probers_->follow(*core_->routes.get());
}

void Gateway::stop() {
    constexpr Duration kPatience{3'000};
    core_->shared_limits->stop(kPatience);
    {
        MutexLock lock(mutex_);
        if (!std::exchange(started_, false)) return;
    }
    core_->shadows.stop(*core_, kPatience);
    probers_->stop(kPatience);
}

net::Handler Gateway::handler() {
    return [this](net::Exchange& exchange) { return handle(exchange); };
}

asio::awaitable<void> Gateway::handle(net::Exchange& exchange) {
    const auto executor = co_await asio::this_coro::executor;
    RequestContext context(core_, core_->here(executor), exchange);
    co_await serve(context);
}

DegradationControl& Gateway::degradation() {
    return core_->degradation;
}

void Gateway::report_load(std::string_view replica, EngineReport report) {
    const auto routes = core_->routes.get();
    const auto found = routes->find_replica(replica);
    if (!found) return;
    const net::Url& at = found->url();
    for (const auto& pool : routes->pools()) {
        for (const Target& target : pool->targets) {
            Replica& same = *target.replica;
            if (same.url().host != at.host || same.url().port != at.port) continue;
            report.load.outstanding = same.outstanding();
            same.load().report(report);
            if (report.load.known()) same.note_counters(report.load);
        }
        refresh_admission(pool.get());
    }
}

std::vector<ReplicaStatus> Gateway::statuses() const {
    std::vector<ReplicaStatus> statuses;
    for (const auto& pool : core_->routes.get()->pools()) {
        for (const Target& target : pool->targets) statuses.push_back(target.replica->status());
    }
    return statuses;
}

std::vector<std::string> Gateway::models() const {
    return core_->routes.get()->models();
}

void Gateway::set_limits(LimitsOptions limits) {
    core_->limits.set(std::move(limits));
}

void Gateway::share_limits(std::optional<SharedLimitsOptions> options) {
    core_->shared_limits->configure(std::move(options));
}

void Gateway::on_sharing(SharedLimits::Told told) {
    core_->shared_limits->on_change(std::move(told));
}

void Gateway::remember_gateways(std::int64_t count) {
    core_->shared_limits->remember(count);
}

SharingReport Gateway::sharing() const {
    return core_->shared_limits->report();
}

LimitsReport Gateway::limits() const {
    return core_->limits.report(Moment::now());
}

std::vector<AdmissionStatus> Gateway::admission(std::size_t most_lines) const {
    return admission_statuses(*core_->routes.get(), most_lines);
}

std::vector<DayUse> Gateway::take_changed_days() {
    return core_->limits.take_changed_days(Moment::now());
}

void Gateway::restore_days(const std::vector<DayUse>& days) {
    core_->limits.restore(days, Moment::now());
}

void Gateway::set_cache(CacheOptions options) {
    core_->cache.configure(std::move(options));
}

CacheReport Gateway::cache_report(const CacheFilter& filter, std::size_t most) const {
    return core_->cache.parts().answers.report(filter, most);
}

std::size_t Gateway::purge_cache(const CacheFilter& filter) {
    return core_->cache.parts().answers.purge(filter);
}

namespace {

Result<std::shared_ptr<Replica>> find(Core& core, std::string_view id) {
    auto replica = core.routes.get()->find_replica(id);
    if (!replica) return Error{Errc::NotFound, "no replica has the id " + std::string(id)};
    return replica;
}

}  // namespace

Result<Unit> Gateway::eject(std::string_view replica, const std::string& reason) {
    TRY(const auto found, find(*core_, replica));
    core_->publish(found, found->eject(reason));
    return Unit{};
}

Result<Unit> Gateway::readmit(std::string_view replica) {
    TRY(const auto found, find(*core_, replica));
    core_->publish(found, found->readmit());
    return Unit{};
}

Result<Unit> Gateway::hint_down(std::string_view replica, const std::string& reason) {
    TRY(const auto found, find(*core_, replica));
    core_->publish(found, found->on_exit_hint(reason));
    return Unit{};
}

}  // namespace stoker::gateway
