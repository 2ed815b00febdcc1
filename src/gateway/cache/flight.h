// An answer under way that several identical requests share: one of them leads, the others follow.
//
// The leader's bytes are kept as they come, so that whoever joins late gets them from the beginning. Past `most` bytes
// nobody joins any more, and only the last `most` to twice as many are kept; a follower that is further behind is lost.
// Followers wait on their own loops, with deadlines of their own.
//
// Thread-safe: leader and followers may be on different loops. Nothing is waited for under the lock.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/sync.h"
#include "gateway/cache/cache_key.h"
#include "gateway/cache/waiters.h"
#include "net/http.h"

namespace stoker::gateway {

class Flight {
public:
    enum class State : unsigned char {
        Waiting,  // Nothing yet.
        Flowing,  // The head, and some bytes.
        Whole,    // All of it, and it was a good answer.
        Refused,  // All of it: an error that anybody else would get for this request.
        Failed,   // Without an answer; head and bytes are the leader's error, if it had one.
        Cut       // Broken off after it had begun.
    };

    explicit Flight(std::size_t most) : most_(most) {}

    // For the leader.
    void begin(net::ResponseHead head);
    void append(std::string_view bytes);
    // `cause`: how its request ended; empty: well.
    void end(State how, std::string_view cause = {});
    // All three at once, of an answer that comes in one piece: nobody sees a failure as an answer that has begun.
    void end_with(net::ResponseHead head, std::string_view body, State how, std::string_view cause = {});
    // What the answer took; to be said before its end.
    struct Made {
        std::int64_t prompt_tokens = 0;
        std::int64_t completion_tokens = 0;
        std::string finish_reason{};
    };
    void note_made(Made made);
    // Its client has gone. True: nobody is left who wants the answer. Else `abandoned` is called when nobody is any
    // more, on the thread of whoever left last; unless drop_abandoned() came first.
    bool leader_left(std::function<void()> abandoned);
    void drop_abandoned();
    std::size_t followers() const;
    // Nobody follows; `timer` is then cancelled on its own loop when somebody does, or else for nothing. REQUIRES: as
    // look().
    bool alone(const WaitTimer& timer);
    void forget(const WaitTimer& timer);
    // All that there was, if it is all still here.
    std::optional<std::string> whole() const;

    // For followers. False: nobody may join any more.
    bool join();
    // `timer` is the one that look() was given.
    void leave(const WaitTimer& timer);

    struct Look {
        State state = State::Waiting;
        bool lost = false;    // What stood at `from` has been let go.
        std::string bytes{};  // From there on.
    };
    // What there is from `from` on. If that is nothing, and more may come, `timer` is cancelled on its own loop when
    // something does. REQUIRES: called on that loop, which then waits for the timer before it does anything else.
    Look look(std::size_t from, const WaitTimer& timer);
    net::ResponseHead head() const;
    Made made() const;
    std::string cause() const;

private:
    const std::size_t most_;
    mutable Mutex mutex_;
    State state_ GUARDED_BY(mutex_) = State::Waiting;
    net::ResponseHead head_ GUARDED_BY(mutex_);
    std::string bytes_ GUARDED_BY(mutex_);
    Made made_ GUARDED_BY(mutex_);
    std::string cause_ GUARDED_BY(mutex_);
    std::size_t gone_ GUARDED_BY(mutex_) = 0;  // Bytes before bytes_.
    std::size_t followers_ GUARDED_BY(mutex_) = 0;
    Waiters waiters_ GUARDED_BY(mutex_);
    std::function<void()> abandoned_ GUARDED_BY(mutex_);
};

// The flights under way, by key.
class Flights {
public:
    struct Joined {
        std::shared_ptr<Flight> flight;
        bool leads = false;  // There was none to join: this one is new. Else leave() it at the end.
    };
    Joined join(const CacheKey& key, std::size_t most);
    // Nobody joins it from now on; the next request with this key leads.
    void land(const CacheKey& key, const Flight& flight);

private:
    static constexpr std::size_t kShards = 16;
    struct Shard {
        Mutex mutex;
        std::unordered_map<CacheKey, std::shared_ptr<Flight>, CacheKeyHash> flights GUARDED_BY(mutex);
    };
    Shard& shard_of(const CacheKey& key) { return shards_[key.back() % kShards]; }

    std::array<Shard, kShards> shards_;
};

}  // namespace stoker::gateway
