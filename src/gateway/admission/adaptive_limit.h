// How many requests one replica can take without making them wait in the engine: found by trying.
//
// The limit grows while it is what holds requests back and all is well, and shrinks on either of two signs:
//   the engines' own queues: what they report as waiting is beyond what they can run, and that many too many is the
//     limit (a few may wait: they are the next batch);
//   the time to first token: its median over an interval, against the least such median of the last ten minutes, is
//     more than `tolerance` times as long. Prompts differ in length, so times are taken per token that is to be
//     computed, plus the fixed part of a step. Where too few answers are streams, the time of whole answers stands in
//     for it, taken per token computed and step made: coarser, as steps take longer in a larger batch, but a queue in
//     the engine shows in it all the same. The two kinds have floors of their own.
// It begins at its least, where the floor can be measured, and doubles each second until the first sign (slow start);
// then it grows by a thirty-second, and stands still for a while after it shrank. It never grows twice without a sign
// of life. Engines that report no queues could be full all the time without its knowing, and what is measured under
// load would be taken for the floor: for them it goes down by half for some seconds every two minutes. Additive
// increase and multiplicative decrease as in TCP; the ratio to a floor is the gradient of Netflix's concurrency-limits
// and of Envoy's adaptive concurrency filter.
//
// Pure; not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace stoker::gateway {

// What engines say of their queues: of those that said anything lately, each on average.
struct EngineQueues {
    SteadyTime at{};  // Of the newest report; epoch: there is none.
    double running = 0;
    double waiting = 0;
};

// What the limit went by last. Texts stand in the API.
enum class LimitSign : std::uint8_t { None, Grows, Enough, EngineQueue, FirstToken, WholeAnswer, Measures };
std::string_view to_string(LimitSign sign);  // none, grows, enough, engine_queue, first_token, whole_answer, measures

class AdaptiveLimit {
public:
    struct Bounds {
        double min = 4;
        double max = 1024;
        double tolerance = 3;
    };
    explicit AdaptiveLimit(Bounds bounds) { set(bounds); }

    void set(Bounds bounds);
    // A first token came so long after its request was sent, with so many prompt tokens to compute.
    void note_first_token(double seconds, std::int64_t new_tokens);
    // A whole answer, of so many tokens, came so long after its request was sent.
    void note_whole_answer(double seconds, std::int64_t new_tokens, std::int64_t output_tokens);
    // A request came to its end: what was let through is being worked on.
    void note_end() { alive_ = true; }
    // A request had to wait, or took the last place.
    void note_full() { full_ = true; }

    // Whether an interval is over: then update() has something to do.
    bool due(SteadyTime now) const;
    // REQUIRES: `now` is not before that of the call before.
    void update(const EngineQueues& queues, SteadyTime now);

    double limit() const;
    LimitSign sign() const { return sign_; }
    // Of the last interval that had enough of them: the median time to first token (or else of a whole answer) against
    // its floor. 0: unknown.
    double ratio() const { return ratio_; }

private:
    static constexpr std::size_t kWindows = 10;

    // Times of one kind, and the least medians of late.
    class Times {
    public:
        void note(double time);
        // Of this interval's median to the floor. Empty: too few; they stay for the next interval.
        std::optional<double> ratio(SteadyTime now);

    private:
        struct Window {
            std::int64_t minute = -1;
            double least = 0;
        };
        std::vector<double> samples_;
        std::array<Window, kWindows> windows_{};
    };

    std::optional<LimitSign> shrink(const EngineQueues& queues, SteadyTime now);
    void grow();
    void measure_floor(const EngineQueues& queues, bool full, SteadyTime now);

    Bounds bounds_;
    double limit_ = 0;
    bool alive_ = false;  // Something came back since it grew last.
    bool slow_start_ = true;
    bool full_ = false;
    int rest_ = 0;  // Intervals for which it stands still.
    LimitSign sign_ = LimitSign::None;
    SteadyTime updated_{};
    SteadyTime queues_seen_{};
    SteadyTime floor_at_{};  // When it was low last.
    int low_ = 0;            // Intervals for which it still is.
    Times first_tokens_;
    Times whole_answers_;
    double ratio_ = 0;
};

}  // namespace stoker::gateway
