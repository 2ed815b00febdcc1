// Requests that wait for an issuer's signing keys, and those who fetch them: a token signed with a key that is new is
// worth asking the issuer again, but not as often as anybody makes up names of keys.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/sync.h"
#include "base/time.h"

namespace stoker::gateway {

class TokenDemand {
public:
    static constexpr Duration kPause{2'000};  // From the end of a fetch until requests may ask for another.
    static constexpr int kMostWaiting = 256;

    // Issuers that are not named any more are forgotten.
    void follow(const std::vector<std::string>& issuers);

    // Asks for a fetch. The ticket to wait with; nothing if it would be no use to wait. Followed by one leave().
    std::optional<std::uint64_t> want(const std::string& issuer, SteadyTime now);
    void leave();
    // Whether a fetch ended since the ticket was given.
    bool answered(const std::string& issuer, std::uint64_t ticket) const;

    // For those who fetch: whose keys are wanted, once each; and that a fetch has ended, however.
    std::vector<std::string> take();
    void fetched(const std::string& issuer, SteadyTime now);

private:
    struct State {
        std::optional<SteadyTime> fetched_at;
        std::uint64_t fetches = 0;
        bool wanted = false;
    };

    mutable Mutex mutex_;
    std::map<std::string, State, std::less<>> issuers_ GUARDED_BY(mutex_);
    int waiting_ GUARDED_BY(mutex_) = 0;
};

}  // namespace stoker::gateway
