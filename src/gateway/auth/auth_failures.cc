#include "gateway/auth/auth_failures.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace stoker::gateway {
namespace {

const std::string kAllOthers = "others";

}  // namespace

std::string peer_network(std::string_view peer) {
    std::string host(peer.substr(0, peer.rfind(':')));
    if (host.size() < 2 || host.front() != '[' || host.back() != ']') return host;
    host = host.substr(1, host.size() - 2);
    in6_addr address{};
    if (::inet_pton(AF_INET6, host.c_str(), &address) != 1) return host;
    if (IN6_IS_ADDR_V4MAPPED(&address)) return host;
    std::memset(address.s6_addr + 8, 0, 8);
    char text[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET6, &address, text, sizeof text);
    return std::string(text) + "/64";
}

std::optional<Duration> AuthFailures::wait_until(SteadyTime full_at, SteadyTime now) {
    const auto empty_for = std::chrono::duration_cast<Duration>(full_at - now) - kBurst * kRefill;
    if (empty_for.count() <= 0) return std::nullopt;
    return empty_for;
}

std::optional<Duration> AuthFailures::note(std::string_view peer, SteadyTime now) {
    const std::string network = peer_network(peer);
    MutexLock lock(mutex_);
    auto found = full_at_.find(network);
    if (found == full_at_.end()) {
        if (full_at_.size() >= kMostPeers) forget_recovered(now);
        found = full_at_.try_emplace(full_at_.size() < kMostPeers ? network : kAllOthers, now).first;
    }
    // A bucket that is empty stays just empty: who goes on guessing is not locked out for longer.
    const SteadyTime most = now + (kBurst + 1) * kRefill;
    found->second = std::min(std::max(found->second, now) + kRefill, most);
    return wait_until(found->second, now);
}

std::optional<Duration> AuthFailures::wait(std::string_view peer, SteadyTime now) const {
    const std::string network = peer_network(peer);
    MutexLock lock(mutex_);
    auto found = full_at_.find(network);
    if (found == full_at_.end() && full_at_.size() >= kMostPeers) found = full_at_.find(kAllOthers);
    return found == full_at_.end() ? std::nullopt : wait_until(found->second, now);
}

void AuthFailures::forget_recovered(SteadyTime now) {
    std::erase_if(full_at_, [now](const auto& entry) { return entry.second <= now; });
}

std::size_t AuthFailures::peers_for_test() const {
    MutexLock lock(mutex_);
    return full_at_.size();
}

}  // namespace stoker::gateway
