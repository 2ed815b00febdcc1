// The gateway's draining: what operators do to replicas while it runs.
#include "gateway/core.h"
#include "gateway/gateway.h"

namespace stoker::gateway {
namespace {

std::string authority_of(const net::Url& url) {
    return url.host + ":" + url.port;
}

// By id, or by address in whatever pools.
std::vector<std::shared_ptr<Replica>> find_all(const RouteTable& table, std::string_view named) {
    if (auto one = table.find_replica(named)) return {std::move(one)};
    const auto url = net::parse_url(named.find("://") == std::string_view::npos ? "http://" + std::string(named)
                                                                                : std::string(named));
    std::vector<std::shared_ptr<Replica>> found;
    if (!url) return found;
    for (const auto& pool : table.pools()) {
        for (const Target& target : pool->targets) {
            if (authority_of(target.replica->url()) == authority_of(*url)) found.push_back(target.replica);
        }
    }
    return found;
}

Error unknown(std::string_view named) {
    return {Errc::NotFound, "no replica has the id or address " + std::string(named)};
}

}  // namespace

void Gateway::restore_drained(std::string_view kept, Drains::Save save) {
    MutexLock lock(mutex_);
    drains_.restore(kept, std::move(save));
}

void Gateway::drain_as_before(const RouteTable& table) {
    for (const auto& pool : table.pools()) {
        for (const Target& target : pool->targets) {
            const std::string* reason = drains_.reason(target.replica->id());
            if (reason != nullptr && !target.replica->drained()) {
                core_->publish(target.replica, target.replica->drain(*reason));
            }
        }
    }
}

Result<std::vector<ReplicaStatus>> Gateway::drain(std::string_view replica, const std::string& reason) {
    MutexLock lock(mutex_);
    const auto found = find_all(*core_->routes.get(), replica);
    if (found.empty()) return unknown(replica);
    std::vector<ReplicaStatus> after;
    for (const auto& one : found) {
        drains_.add(one->id(), reason);
        core_->publish(one, one->drain(reason));
        after.push_back(one->status());
    }
    return after;
}

Result<std::vector<ReplicaStatus>> Gateway::undrain(std::string_view replica) {
    MutexLock lock(mutex_);
    const auto found = find_all(*core_->routes.get(), replica);
    if (found.empty()) return unknown(replica);
    std::vector<ReplicaStatus> after;
    for (const auto& one : found) {
        drains_.remove(one->id());
        core_->publish(one, one->undrain());
        after.push_back(one->status());
    }
    return after;
}

}  // namespace stoker::gateway
