// The gateway's releases: what is changed of its routes while it runs.
#include "gateway/core.h"
#include "gateway/gateway.h"
#include "gateway/route/route_explain.h"

namespace stoker::gateway {

void Gateway::restore_release(std::string_view kept, Release::Save save, Release::Announce announce) {
    MutexLock lock(mutex_);
    release_.restore(kept, std::move(save), std::move(announce));
}

Result<Unit> Gateway::switch_alias(const std::string& alias, const std::string& to, const ReleaseOrder& order) {
    MutexLock lock(mutex_);
    const auto table = core_->routes.get();
    const auto knows = [&table](const std::string& name) { return table->is_destination(name); };
    TRY_UNIT(release_.switch_alias(alias, to, knows, order, now()));
    const Routes routes = routes_;
    return rebuild(routes);
}

Result<Unit> Gateway::steer_canary(const std::string& canary, std::string_view action, const ReleaseOrder& order) {
    MutexLock lock(mutex_);
    return release_.steer(canary, action, order, now());
}

void Gateway::tick_canaries() {
    MutexLock lock(mutex_);
    release_.tick(now());
}

std::string Gateway::release_json() const {
    MutexLock lock(mutex_);
    return release_.to_json();
}

std::string Gateway::shadows_json() const {
    return core_->shadows.to_json();
}

Result<std::string> Gateway::explain_route(std::string_view question) const {
    return gateway::explain_route(*core_->routes.get(), *core_->keyring.get(), question);
}

}  // namespace stoker::gateway
