#include "gateway/auth/token_demand.h"

#include <algorithm>

namespace stoker::gateway {

void TokenDemand::follow(const std::vector<std::string>& issuers) {
    MutexLock lock(mutex_);
    std::erase_if(issuers_, [&](const auto& entry) {
        return std::find(issuers.begin(), issuers.end(), entry.first) == issuers.end();
    });
    for (const std::string& issuer : issuers) issuers_.try_emplace(issuer);
}

std::optional<std::uint64_t> TokenDemand::want(const std::string& issuer, SteadyTime now) {
    MutexLock lock(mutex_);
    const auto found = issuers_.find(issuer);
    if (found == issuers_.end() || waiting_ >= kMostWaiting) return std::nullopt;
    State& state = found->second;
    if (state.fetched_at && now - *state.fetched_at < kPause) return std::nullopt;
    state.wanted = true;
    ++waiting_;
    return state.fetches;
}

void TokenDemand::leave() {
    MutexLock lock(mutex_);
    --waiting_;
}

bool TokenDemand::answered(const std::string& issuer, std::uint64_t ticket) const {
    MutexLock lock(mutex_);
    const auto found = issuers_.find(issuer);
    return found == issuers_.end() || found->second.fetches != ticket;
}

std::vector<std::string> TokenDemand::take() {
    std::vector<std::string> wanted;
    MutexLock lock(mutex_);
    for (auto& [issuer, state] : issuers_) {
        if (state.wanted) wanted.push_back(issuer);
        state.wanted = false;
    }
    return wanted;
}

void TokenDemand::fetched(const std::string& issuer, SteadyTime now) {
    MutexLock lock(mutex_);
    const auto found = issuers_.find(issuer);
    if (found == issuers_.end()) return;
    found->second.fetched_at = now;
    found->second.fetches++;
}

}  // namespace stoker::gateway
