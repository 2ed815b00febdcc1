// What became of one shadow's copies, and how their answers differ from those that clients got.
//
// A copy and the request it was made of make a pair; whichever of the two ends last completes it. A pair is compared
// only if both were seen to their end: a client that left, or a copy that was given up, says nothing of a model.
// Latencies are those of the attempt that answered, so that limits, fallbacks and slow readers do not blur them.
//
// ShadowLog is thread-safe; a ShadowPair belongs to the loop of its request.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/sync.h"
#include "base/time.h"
#include "gateway/route/canary_sample.h"

namespace stoker::gateway {

// Why no copy was made though one was due.
enum class ShadowSkip : std::uint8_t {
    Requests,    // requests_per_minute
    Tokens,      // tokens_per_minute
    DayTokens,   // tokens_per_day
    Concurrent,  // As many as allowed are under way.
    Degraded,    // The request's pool or the copy's is short of something.
    Busy,        // Its pool has no place free that a client could not use.
    NoReplica,   // Nobody there takes requests.
    Body,        // Too long, or passed on as it comes.
    Stored,      // It goes on from a response that one engine keeps, or has one made in the background.
    Stopping
};
inline constexpr std::size_t kShadowSkips = 10;
std::string_view to_string(ShadowSkip skip);  // snake_case, for labels

// How a copy ended.
enum class ShadowEnd : std::uint8_t { Answered, Refused, Failed, TimedOut, Cancelled };
inline constexpr std::size_t kShadowEnds = 5;
std::string_view to_string(ShadowEnd end);  // snake_case, for labels

// One side of a pair.
struct ShadowSide {
    int status = 0;
    std::string finish_reason{};
    std::int64_t completion_tokens = 0;
    std::int64_t ttft_ns = 0;  // 0: not streamed, or nothing came.
    std::int64_t duration_ns = 0;
};

struct ShadowPair {
    std::string request_id{};
    std::optional<ShadowSide> client{};
    std::optional<ShadowSide> copy{};
    bool comparable = true;
};

// What differs between two answers.
struct ShadowDifference {
    bool status = false;
    bool finish_reason = false;
    bool length = false;  // Of the answers, in tokens, by more than a fifth of the longer one and at least 5.

    bool any() const { return status || finish_reason || length; }
};
ShadowDifference compare(const ShadowSide& client, const ShadowSide& copy);

class ShadowLog {
public:
    void started();
    void skipped(ShadowSkip reason);
    void ended(ShadowEnd end, std::int64_t prompt_tokens, std::int64_t completion_tokens);
    // Empty: the pair is not complete, or says nothing.
    std::optional<ShadowDifference> look(const ShadowPair& pair, Timestamp now);

    // {"sent","in_flight","results","skipped","compared","differences","tokens","client","copy","last"}
    nlohmann::json to_json() const;

private:
    static constexpr std::size_t kMostKept = 20;
    struct Kept {
        Timestamp at{};
        ShadowPair pair;
        ShadowDifference difference;
    };
    struct Arm {
        std::int64_t completion_tokens = 0;
        TimeBuckets first_token;
        TimeBuckets duration;

        void add(const ShadowSide& side);
        nlohmann::json to_json(std::int64_t compared) const;
    };

    mutable Mutex mutex_;
    std::int64_t sent_ GUARDED_BY(mutex_) = 0;
    std::array<std::int64_t, kShadowEnds> ends_ GUARDED_BY(mutex_){};
    std::array<std::int64_t, kShadowSkips> skips_ GUARDED_BY(mutex_){};
    std::int64_t compared_ GUARDED_BY(mutex_) = 0;
    std::int64_t status_differs_ GUARDED_BY(mutex_) = 0;
    std::int64_t finish_differs_ GUARDED_BY(mutex_) = 0;
    std::int64_t length_differs_ GUARDED_BY(mutex_) = 0;
    std::int64_t prompt_tokens_ GUARDED_BY(mutex_) = 0;
    std::int64_t completion_tokens_ GUARDED_BY(mutex_) = 0;
    Arm client_ GUARDED_BY(mutex_);
    Arm copy_ GUARDED_BY(mutex_);
    std::deque<Kept> last_ GUARDED_BY(mutex_);  // Of pairs that differ, the newest first.
};

}  // namespace stoker::gateway
