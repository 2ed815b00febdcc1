#include "gateway/limit/shared_script.h"

#include <array>
#include <cmath>

#include "base/text.h"

namespace stoker::gateway::shared_script {
namespace {

// ARGV[1] is the gateway's name, ARGV[2] for how many seconds one counts as alive. Numbers are kept as text with six
// places, so that no level is lost to Redis' own way from Lua's numbers to integers.
constexpr const char* kClock = R"lua(
local member, ttl = ARGV[1], tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local today = math.floor(tonumber(clock[1]) / 86400)
local function text(number) return string.format('%.6f', number) end
)lua";

constexpr const char* kCount = R"lua(
if not redis.call('ZSCORE', KEYS[1], member) then return {'unknown'} end
local alive = {[member] = true}
local function lives(who)
    if alive[who] == nil then
        local heard = redis.call('ZSCORE', KEYS[1], who)
        alive[who] = heard ~= false and now - tonumber(heard) <= ttl
    end
    return alive[who]
end
local function read(key, request_rate, token_rate)
    local s = {r = 0, t = 0, u = 0, c = 0, v = 0, own_c = 0, own_v = 0, day = today}
    local at, day = now, today
    local flat = redis.call('HGETALL', key)
    for i = 1, #flat, 2 do
        local field, number = flat[i], tonumber(flat[i + 1])
        local kind, who = string.sub(field, 1, 2), string.sub(field, 3)
        if field == 'r' then s.r = number
        elseif field == 't' then s.t = number
        elseif field == 'at' then at = number
        elseif field == 'd' then day = number
        elseif field == 'u' then s.u = number
        elseif not lives(who) then redis.call('HDEL', key, field)
        elseif kind == 'c:' then
            s.c = s.c + number
            if who == member then s.own_c = number end
        elseif kind == 'v:' then
            s.v = s.v + number
            if who == member then s.own_v = number end
        end
    end
    if day < today then s.u = 0 else s.day = day end
    local passed = math.max(0, now - at)
    s.at = math.max(now, at)
    s.r = math.max(0, s.r - passed * request_rate)
    s.t = math.max(0, s.t - passed * token_rate)
    return s
end
local function write(key, s)
    local c, v = 'c:' .. member, 'v:' .. member
    redis.call('HSET', key, 'r', text(s.r), 't', text(s.t), 'at', text(s.at), 'd', text(s.day), 'u', text(s.u),
        c, text(s.own_c), v, text(s.own_v))
    if s.own_c <= 0 and s.own_v <= 0 then redis.call('HDEL', key, c, v) end
    redis.call('EXPIRE', key, 172800)
end
)lua";

// ARGV[3] is the name before.
constexpr const char* kJoin = R"lua(
if ARGV[3] ~= '' then redis.call('ZREM', KEYS[1], ARGV[3]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. text(now - ttl))
redis.call('ZADD', KEYS[1], text(now), member)
return {text(now), redis.call('ZCARD', KEYS[1])}
)lua";

constexpr const char* kBeat = R"lua(
if not redis.call('ZSCORE', KEYS[1], member) then return {'unknown'} end
redis.call('ZADD', KEYS[1], text(now), member)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. text(now - ttl))
return {text(now), redis.call('ZCARD', KEYS[1])}
)lua";

// For each subject: rate and capacity of requests and of tokens, the most at once, the most a day, tokens asked for; a
// capacity or most of 0 is no limit.
constexpr const char* kReserve = R"lua(
local slack = 0.000001
local subjects, fits = {}, true
for i = 2, #KEYS do
    local a = {}
    for k = 1, 7 do a[k] = tonumber(ARGV[2 + (i - 2) * 7 + k]) end
    local s = read(KEYS[i], a[1], a[3])
    subjects[i] = s
    s.asked, s.counts_requests, s.counts_tokens = a[7], a[2] > 0, a[4] > 0
    if a[2] > 0 and s.r + 1 > a[2] + slack then fits = false end
    if a[4] > 0 and s.t + a[7] > a[4] + slack then fits = false end
    if a[5] > 0 and s.c + 1 > a[5] then fits = false end
    if a[6] > 0 and s.u + s.v + a[7] > a[6] then fits = false end
end
local reply = {fits and 1 or 0}
for i = 2, #KEYS do
    local s = subjects[i]
    if fits then
        if s.counts_requests then s.r = s.r + 1 end
        if s.counts_tokens then s.t = s.t + s.asked end
        s.c, s.own_c = s.c + 1, s.own_c + 1
        s.v, s.own_v = s.v + s.asked, s.own_v + s.asked
        write(KEYS[i], s)
    end
    for _, number in ipairs({s.r, s.t, s.day, s.u, s.v, s.c}) do reply[#reply + 1] = text(number) end
end
return reply
)lua";

// For each subject: both rates, then what to add to r, t, u, own v and own c.
constexpr const char* kChange = R"lua(
for i = 2, #KEYS do
    local a = {}
    for k = 1, 7 do a[k] = tonumber(ARGV[2 + (i - 2) * 7 + k]) end
    local s = read(KEYS[i], a[1], a[2])
    s.r, s.t = math.max(0, s.r + a[3]), math.max(0, s.t + a[4])
    s.u = math.max(0, s.u + a[5])
    s.own_v, s.own_c = math.max(0, s.own_v + a[6]), math.max(0, s.own_c + a[7])
    write(KEYS[i], s)
end
return {1}
)lua";

// For each subject: both rates; what was seen of r, t and u, which is the least that they are; what to add to r, t, u,
// own v and own c; the day that u is of.
constexpr const char* kRestore = R"lua(
for i = 2, #KEYS do
    local a = {}
    for k = 1, 11 do a[k] = tonumber(ARGV[2 + (i - 2) * 11 + k]) end
    local s = read(KEYS[i], a[1], a[2])
    s.r, s.t = math.max(s.r, a[3]) + a[6], math.max(s.t, a[4]) + a[7]
    if a[11] == s.day then s.u = math.max(s.u, a[5]) + a[8] end
    s.own_v, s.own_c = s.own_v + a[9], s.own_c + a[10]
    write(KEYS[i], s)
end
return {1}
)lua";

std::string number(double value) {
    return format_number(value);
}

std::string number(std::int64_t value) {
    return std::to_string(value);
}

// EVALSHA with the keys, of `subjects` or of nobody, and what every script is told first.
template <typename Subjects>
std::vector<std::string> call(const Session& session, Script script, const Subjects& subjects) {
    const std::string braced = "{" + session.prefix + "}";
    std::vector<std::string> command{"EVALSHA", session.hashes[static_cast<std::size_t>(script)],
                                     std::to_string(subjects.size() + 1), braced + ":gateways"};
    for (const LimitClaim* subject : subjects) {
        command.push_back(braced + ":s:" + std::string(to_string(subject->scope)) + ":" + subject->name);
    }
    command.push_back(session.member);
    command.push_back(number(std::chrono::duration<double>(session.alive_for).count()));
    return command;
}

template <typename Entries>
std::vector<const LimitClaim*> subjects_of(const Entries& entries) {
    std::vector<const LimitClaim*> subjects;
    for (const auto& entry : entries) subjects.push_back(&entry.claim);
    return subjects;
}

constexpr std::size_t kNumbers = 6;  // Of a subject in a verdict.

Error unexpected() {
    return {Errc::Corruption, "Redis answered something else than the script"};
}

// The reply's numbers.
Result<std::vector<double>> numbers(const net::RedisValue& reply) {
    if (reply.kind == net::RedisValue::Kind::Error) return Error{Errc::Unavailable, reply.text};
    if (reply.kind != net::RedisValue::Kind::List || reply.list.empty()) return unexpected();
    if (reply.list[0].text == "unknown") return Error{Errc::Unavailable, "Redis has forgotten this gateway"};
    std::vector<double> read;
    for (const net::RedisValue& value : reply.list) {
        const auto number = value.number();
        if (!number || !std::isfinite(*number)) return unexpected();
        read.push_back(*number);
    }
    return read;
}

std::int64_t whole(double value) {
    return static_cast<std::int64_t>(std::llround(value));
}

}  // namespace

const std::string& text(Script script) {
    static const std::array<std::string, kScripts> kTexts = {
        std::string(kClock) + kJoin, std::string(kClock) + kBeat, std::string(kClock) + kCount + kReserve,
        std::string(kClock) + kCount + kChange, std::string(kClock) + kCount + kRestore};
    return kTexts[static_cast<std::size_t>(script)];
}

std::vector<std::string> join(const Session& session, const std::string& before) {
    auto command = call(session, Script::Join, std::vector<const LimitClaim*>());
    command.push_back(before);
    return command;
}

std::vector<std::string> beat(const Session& session) {
    return call(session, Script::Beat, std::vector<const LimitClaim*>());
}

std::vector<std::string> leave(const Session& session) {
    return {"ZREM", "{" + session.prefix + "}:gateways", session.member};
}

std::vector<std::string> reserve(const Session& session, const std::vector<LimitClaim>& claims) {
    std::vector<const LimitClaim*> subjects;
    for (const LimitClaim& claim : claims) subjects.push_back(&claim);
    auto command = call(session, Script::Reserve, subjects);
    for (const LimitClaim& claim : claims) {
        for (const double value : {claim.request_rate.per_second, claim.request_rate.capacity,
                                   claim.token_rate.per_second, claim.token_rate.capacity}) {
            command.push_back(number(value));
        }
        for (const std::int64_t value : {claim.most_concurrent, claim.most_a_day, claim.tokens}) {
            command.push_back(number(value));
        }
    }
    return command;
}

std::vector<std::string> change(const Session& session, const std::vector<SharedChange>& changes) {
    auto command = call(session, Script::Change, subjects_of(changes));
    for (const SharedChange& each : changes) {
        command.push_back(number(each.claim.request_rate.per_second));
        command.push_back(number(each.claim.token_rate.per_second));
        command.push_back(number(each.requests));
        for (const std::int64_t value : {each.tokens, each.used, each.reserved, each.concurrent}) {
            command.push_back(number(value));
        }
    }
    return command;
}

std::vector<std::string> restore(const Session& session, const std::vector<SharedOwn>& owns) {
    auto command = call(session, Script::Restore, subjects_of(owns));
    for (const SharedOwn& own : owns) {
        for (const double value :
             {own.claim.request_rate.per_second, own.claim.token_rate.per_second, own.seen.requests, own.seen.tokens}) {
            command.push_back(number(value));
        }
        command.push_back(number(own.seen.day_used));
        command.push_back(number(own.alone.requests));
        command.push_back(number(own.alone.tokens));
        for (const std::int64_t value :
             {own.alone.day_used, own.alone.day_reserved, own.alone.concurrent, own.alone.day}) {
            command.push_back(number(value));
        }
    }
    return command;
}

Result<Presence> read_presence(const net::RedisValue& reply) {
    TRY(const auto read, numbers(reply));
    if (read.size() != 2) return unexpected();
    return Presence{from_millis(whole(read[0] * 1000)), whole(read[1])};
}

Result<Verdict> read_verdict(const net::RedisValue& reply) {
    TRY(const auto read, numbers(reply));
    if (read.size() % kNumbers != 1) return unexpected();
    Verdict verdict{.admitted = read[0] == 1, .counts = {}};
    for (std::size_t i = 1; i < read.size(); i += kNumbers) {
        verdict.counts.push_back({.requests = read[i],
                                  .tokens = read[i + 1],
                                  .day = whole(read[i + 2]),
                                  .day_used = whole(read[i + 3]),
                                  .day_reserved = whole(read[i + 4]),
                                  .concurrent = whole(read[i + 5])});
    }
    return verdict;
}

Result<Unit> read_done(const net::RedisValue& reply) {
    TRY(const auto read, numbers(reply));
    if (read.size() != 1) return unexpected();
    return Unit{};
}

}  // namespace stoker::gateway::shared_script
