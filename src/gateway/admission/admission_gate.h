// One pool's places, and the queue of those that wait for one.
//
// As many requests are under way as the pool's replicas may have together; the rest wait, bounded in number and time,
// in the order of a FairQueue. When the queue is full, room is made for a newcomer of a higher class, or of a tenant
// that has less waiting than another; else the newcomer is turned away. So is, whatever room the queue has, one whose
// turn will hardly come within the time that it may wait: see DrainRate::too_many(). How long to stay away follows from
// how fast places became free lately and from who goes first.
//
//   auto entry = gate.enter(who, now, wake);            // A place, a ticket, or neither.
//   ... if (entry.ticket != 0) wait for wake(end), or gate.give_up(entry.ticket) ...
//   gate.leave(who, used, now);                         // Once for every place.
//
// Knows nothing of sockets or timers: time is an argument, waiting is the caller's. Thread-safe: requests of all loops
// meet under one lock, held for some hundred nanoseconds.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sync.h"
#include "gateway/admission/adaptive_limit.h"
#include "gateway/admission/admission_options.h"
#include "gateway/admission/drain_rate.h"
#include "gateway/admission/fair_queue.h"

namespace stoker::gateway {

// How asking for a place ended. The texts are labels.
enum class AdmissionEnd : std::uint8_t { Admitted, Full, Shed, TimedOut, Left, TooLong };
inline constexpr std::size_t kAdmissionEnds = 6;
std::string_view to_string(AdmissionEnd end);  // admitted, queue_full, shed, timeout, client_gone, too_long

// What the pool's replicas are like now.
struct PoolCapacity {
    double shares = 0;  // Of replicas that serve; one that comes back slowly counts as less than one.
    EngineQueues queues{};
};

// Whose request it is, and what it presumably costs. Views hold as long as the place.
struct Admittee {
    Priority priority = Priority::Normal;
    std::string_view tenant{};
    double cost = 0;
    SteadyTime since{};                    // Of the place; set by whoever gets it.
    SteadyTime until = SteadyTime::max();  // It may wait no longer, nor than the options' timeout.
};

// What somebody who got no place is told.
struct AdmissionAdvice {
    Duration retry_after{};   // When a place can be expected: from 1 s to 10 minutes.
    bool over_share = false;  // It is its own tenant that asks for more than its share; see FairQueue::over_share().
};

struct AdmissionStatus {
    std::string pool{};
    ConcurrencyMode mode{};
    std::optional<std::size_t> limit{};  // Of the pool now. Empty: none, as nobody serves.
    double per_replica = 0;
    LimitSign sign{};
    double ttft_ratio = 0;  // Time to first token against its floor; 0: unknown.
    std::size_t running = 0;
    std::size_t queue = 0;  // Places in the queue.
    std::array<std::size_t, kPriorityClasses> waiting{};
    Duration oldest_wait{};                             // Of those that wait; 0 if nobody does.
    std::array<std::uint64_t, kAdmissionEnds> ended{};  // Without a place, since Stoker began.
    double drain_per_second = 0;                        // 0: unknown.
    std::vector<FairLine> lines{};
};

class AdmissionGate {
public:
    using Ticket = FairQueue::Ticket;
    using Capacity = std::function<PoolCapacity()>;
    // Called once, from any thread, under the gate's lock: must only post. Not after give_up() said true.
    using Wake = std::function<void(AdmissionEnd)>;  // Admitted or Shed.

    // From now on. `capacity` is asked under the lock: it must only read. Those that wait are let through where there
    // is room.
    void configure(const AdmissionOptions& options, Capacity capacity, SteadyTime now);
    // Cheap: where it is false, nobody needs to ask for a place.
    bool active() const { return active_.load(std::memory_order_relaxed); }
    Duration timeout() const;

    struct Entry {
        AdmissionEnd end = AdmissionEnd::Admitted;
        Ticket ticket = 0;  // Not 0: it waits.
    };
    Entry enter(const Admittee& who, SteadyTime now, Wake wake);
    // Out of the queue without a place. False: it was woken already.
    bool give_up(Ticket ticket);
    // The place is free again; `used` is what the request cost. Whoever is next gets it.
    void leave(const Admittee& who, double used, SteadyTime now);

    void note_first_token(double seconds, std::int64_t new_tokens);
    void note_whole_answer(double seconds, std::int64_t new_tokens, std::int64_t output_tokens);
    // Replicas or their engines' reports have changed.
    void refresh(SteadyTime now);

    // For one who is not in the queue (any more). The queue's timeout while nothing is known.
    AdmissionAdvice advice(const Admittee& who, SteadyTime now) const;
    AdmissionStatus status(std::size_t most_lines, SteadyTime now) const;

private:
    std::optional<std::size_t> limit() const REQUIRES_LOCK(mutex_);
    void adapt(SteadyTime now) REQUIRES_LOCK(mutex_);
    void wake_next() REQUIRES_LOCK(mutex_);
    bool hopeless(const Admittee& who, SteadyTime now) const REQUIRES_LOCK(mutex_);
    std::optional<double> drain_rate(SteadyTime now) const REQUIRES_LOCK(mutex_) {
        return drain_.per_second(running_, queue_.size() > 0, now);
    }
    bool room(std::optional<std::size_t> limit) const REQUIRES_LOCK(mutex_) { return !limit || running_ < *limit; }

    std::atomic<bool> active_{false};
    mutable Mutex mutex_;
    AdmissionOptions options_ GUARDED_BY(mutex_);
    Capacity capacity_ GUARDED_BY(mutex_);
    AdaptiveLimit adaptive_ GUARDED_BY(mutex_){{}};
    FairQueue queue_ GUARDED_BY(mutex_);
    struct Waiting {
        Wake wake;
        SteadyTime since;
    };
    std::map<Ticket, Waiting> waiting_ GUARDED_BY(mutex_);  // The oldest first.
    DrainRate drain_ GUARDED_BY(mutex_);
    std::size_t running_ GUARDED_BY(mutex_) = 0;
};

}  // namespace stoker::gateway
