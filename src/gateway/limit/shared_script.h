// The shared count of limits, as scripts that Redis runs as a whole and one at a time, with the commands that call them
// and their answers.
//
// Each subject is a hash {PREFIX}:s:SCOPE:NAME: r and t are the levels of its meters (requests, tokens) at time `at`, d
// and u a day and its tokens; c:GATEWAY and v:GATEWAY are what that gateway has under way (requests, tokens reserved
// for the day). {PREFIX}:gateways says when each gateway was last heard of: what one that is dead has under way counts
// no more. Time and day are those of Redis. The braces keep all keys in one slot.
//
// A gateway is known by another name each time it meets Redis: a command that was sent before, and is done late, finds
// that name gone and changes nothing.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "gateway/limit/limiter.h"
#include "net/redis_protocol.h"

namespace stoker::gateway::shared_script {

enum class Script : std::uint8_t { Join, Beat, Reserve, Change, Restore };
inline constexpr std::size_t kScripts = 5;
const std::string& text(Script script);

// Who asks whom: the scripts' hashes as Redis gave them, and the name of this gateway.
struct Session {
    std::vector<std::string> hashes{};  // By Script.
    std::string prefix{};
    std::string member{};
    Duration alive_for{};  // Of a gateway that is not heard of.
};

// Makes this gateway known, and the name it had before (or none) forgotten; says again that it is there.
std::vector<std::string> join(const Session& session, const std::string& before);
std::vector<std::string> beat(const Session& session);
// At its end.
std::vector<std::string> leave(const Session& session);
// Takes all of it, or nothing.
std::vector<std::string> reserve(const Session& session, const std::vector<LimitClaim>& claims);
std::vector<std::string> change(const Session& session, const std::vector<SharedChange>& changes);
std::vector<std::string> restore(const Session& session, const std::vector<SharedOwn>& owns);

// Of join and beat. Errors: those of read_verdict().
struct Presence {
    Timestamp time{};
    std::int64_t gateways = 0;
};
Result<Presence> read_presence(const net::RedisValue& reply);

struct Verdict {
    bool admitted = false;
    std::vector<SharedCount> counts{};  // As the claims; what was taken is in them.
};
// Errors: Unavailable, what Redis said or that it has forgotten this gateway; Corruption.
Result<Verdict> read_verdict(const net::RedisValue& reply);
// Of change and restore.
Result<Unit> read_done(const net::RedisValue& reply);

}  // namespace stoker::gateway::shared_script
