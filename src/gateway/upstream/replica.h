// One replica as all loops share it: what it is doing (atomics, on the hot path), and how it is (state machines behind
// a mutex, on the slow one). Probes (health.h) and requests (breaker.h) each have their say; together they make one
// state: what somebody decided, else what probes found, else what requests met. It outlives a reload that keeps it, and
// any request that still holds it.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/sync.h"
#include "base/time.h"
#include "gateway/balance/replica_load.h"
#include "gateway/upstream/breaker.h"
#include "gateway/upstream/engine_kind.h"
#include "gateway/upstream/engine_progress.h"
#include "gateway/upstream/health.h"
#include "gateway/upstream/replica_status.h"
#include "net/http.h"

namespace stoker::gateway {

// How an attempt ended, for the replica.
enum class TurnEnd : std::uint8_t {
    Unsaid,   // Nothing follows: the client left, the replica said 429, ...
    Good,     // It did its part, whatever the answer says: a 4xx is good.
    Fault,    // It failed.
    Suspect,  // It said 500, which may be the request's own doing: see Replica::confirm_fault().
};

class Replica {
public:
    Replica(std::string id, std::string pool, net::Url url, std::string url_text, HealthOptions health,
            BreakerOptions breaker = {});

    const std::string& id() const { return id_; }
    const std::string& pool() const { return pool_; }
    const net::Url& url() const { return url_; }

    // The hot path: may a request be sent here, and how much is there already?
    bool serving() const { return state_.load(std::memory_order_relaxed) == ReplicaState::Serving; }
    // Its circuit is open and the time has come to try it with one request, for which claim_trial() must be asked
    // first.
    bool trial_due(SteadyTime now) const;
    // Whether the caller's attempt is that request. The attempt's end() must say so.
    bool claim_trial(SteadyTime now);
    // It is out for being worse than the others alone: better than nobody.
    bool last_resort() const;
    // When an open circuit is to be tried; empty if none is open.
    std::optional<SteadyTime> trial_at() const;
    std::int64_t outstanding() const { return load_.requests(); }
    // The same in tokens, and what the engine says: for those who choose among replicas.
    ReplicaLoad& load() { return load_; }
    const ReplicaLoad& load() const { return load_; }
    // It said 429 or 503 with a Retry-After: until then it is left alone.
    bool resting(SteadyTime now) const { return rest_left(now) > Duration{0}; }
    Duration rest_left(SteadyTime now) const;                                            // 0: it does not rest.
    bool rate_limited() const { return rate_limited_.load(std::memory_order_relaxed); }  // Said 429 when it did last.
    void rest_until(SteadyTime until, bool rate_limited = false);
    // It said 429 and not until when. It answers faster than those that work, so whoever balances by load would send it
    // everything: for a while, longer each time until it answers well, others are asked first.
    bool limited(SteadyTime now) const;
    void note_limited(SteadyTime now);

    // What it is, as a probe has learnt; Unknown after it was away.
    EngineKind engine() const { return engine_.load(std::memory_order_relaxed); }
    void set_engine(EngineKind kind) { engine_.store(kind, std::memory_order_relaxed); }
    // It would not go on with another's answer; it is not asked to again for a while.
    bool refuses_continuation(SteadyTime now) const;
    void note_continuation_refused(SteadyTime now);

    // Accounting of one attempt; see Turn.
    LoadTicket begin(SteadyTime now, const LoadEstimate& estimate = {});
    struct End {
        TurnEnd how = TurnEnd::Unsaid;
        std::string what;  // Of a fault: "http_503".
        bool trial = false;
    };
    void add_flowing(int count) { flowing_.fetch_add(count, std::memory_order_relaxed); }
    void add_expecting(int count) { expecting_.fetch_add(count, std::memory_order_relaxed); }
    void note_progress(SteadyTime now) {
        last_progress_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }

    // Observations for the state machine; a change comes back as the event to publish.
    struct Change {
        ReplicaEvent event;
        bool cut_requests = false;
    };
    std::optional<Change> end(const End& end, const LoadTicket& ticket, SteadyTime now);
    // The trial's stream has begun to flow: that is well enough, however long it goes on.
    std::optional<Change> trial_flows(SteadyTime now);
    // A 500 was the replica's own fault: another one answered the same request.
    std::optional<Change> confirm_fault(std::string_view what, SteadyTime now);
    // It does much worse than its pool.
    std::optional<Change> trip(std::string reason, std::vector<std::string> evidence, SteadyTime now);
    FinishedTotals finished() const;
    // Every second or so: the window of its failures, and slow start, go on.
    void tick_breaker(SteadyTime now);

    std::optional<Change> on_probe(const Probe& probe, SteadyTime now);
    std::optional<Change> on_connect_refused(SteadyTime now);
    void on_connected();
    std::optional<Change> on_exit_hint(const std::string& reason);
    std::optional<Change> on_tick(SteadyTime now);
    // What the engine said of itself. REQUIRES: load.known().
    void note_counters(const EngineLoad& load);
    std::optional<Change> eject(const std::string& reason);
    std::optional<Change> readmit();
    std::optional<Change> drain(const std::string& reason);
    std::optional<Change> undrain();
    bool drained() const;

    void configure(HealthOptions health, BreakerOptions breaker, std::vector<std::string> models);
    bool needs_real_probe() const;
    Duration probe_delay() const;
    ReplicaStatus status() const;

private:
    Work work(SteadyTime now) const REQUIRES_LOCK(mutex_);
    std::optional<Change> publish(std::optional<Transition> transition, SteadyTime now) REQUIRES_LOCK(mutex_);
    std::optional<Change> publish_opening(Breaker::Opening opening) REQUIRES_LOCK(mutex_);
    std::optional<Change> change(ReplicaEvent::Kind kind, std::string reason, std::vector<std::string> evidence)
        REQUIRES_LOCK(mutex_);
    std::optional<Change> count_fault(std::string_view what, SteadyTime now) REQUIRES_LOCK(mutex_);
    std::optional<Change> end_trial(const End& end, SteadyTime now) REQUIRES_LOCK(mutex_);
    void show_state() REQUIRES_LOCK(mutex_);
    ReplicaState state_locked() const REQUIRES_LOCK(mutex_);
    ReplicaStatus status_locked() const REQUIRES_LOCK(mutex_);

    const std::string id_;
    const std::string pool_;
    const net::Url url_;
    const std::string url_text_;

    ReplicaLoad load_;
    std::atomic<ReplicaState> state_{ReplicaState::Serving};
    std::atomic<std::int64_t> flowing_{0};
    std::atomic<std::int64_t> expecting_{0};
    std::atomic<std::int64_t> requests_{0};
    std::atomic<std::int64_t> failures_{0};
    std::atomic<std::int64_t> finished_{0};       // Well, or by its own fault.
    std::atomic<std::int64_t> faults_{0};         // Of these; a 500 only once it is confirmed.
    std::atomic<bool> shaken_{false};             // The breaker counts failures in a row: a success must be told to it.
    std::atomic<std::int64_t> trial_at_{0};       // While the circuit is open; else 0.
    std::atomic<bool> soft_{false};               // Open because of the others' doing better.
    std::atomic<std::int64_t> last_progress_{0};  // Steady clock ticks; 0: none yet.
    std::atomic<std::int64_t> busy_since_{0};     // When outstanding last left zero.
    std::atomic<std::int64_t> rest_until_{0};
    std::atomic<bool> rate_limited_{false};
    std::atomic<std::int64_t> limited_until_{0};
    std::atomic<int> limited_{0};  // Times in a row, by note_limited().
    std::atomic<std::int64_t> no_continuation_until_{0};
    std::atomic<EngineKind> engine_{EngineKind::Unknown};
    std::atomic<int> refused_{0};  // Not zero: on_connected() has something to reset.

    mutable Mutex mutex_;
    ReplicaHealth health_ GUARDED_BY(mutex_);
    Breaker breaker_ GUARDED_BY(mutex_);
    std::string open_reason_ GUARDED_BY(mutex_);
    EngineProgress progress_ GUARDED_BY(mutex_);
    std::vector<std::string> models_ GUARDED_BY(mutex_);
    Timestamp since_ GUARDED_BY(mutex_);
    Timestamp probed_at_ GUARDED_BY(mutex_);
};

// One attempt's share of a replica's counters: counts from its construction to its end, whatever way it ends.
class Turn {
public:
    // `estimate`: what the request will presumably cost the replica.
    Turn(Replica& replica, bool stream, SteadyTime now, const LoadEstimate& estimate = {}, bool trial = false);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    // A byte came; from flow() on the replica owes more of them.
    void progress(SteadyTime now) { replica_.note_progress(now); }
    void flow(SteadyTime now) {
        if (phase_ != Phase::Expecting) return;
        replica_.load().first_token(ticket_, now);
        move_to(Phase::Flowing);
    }
    // An answer that was not streamed is here.
    void whole_answer(SteadyTime now) { replica_.load().whole_answer(ticket_, now); }
    // While the client takes what it was sent, silence is not the replica's fault.
    void pause();
    void resume(SteadyTime now);
    // After flow(): of a trial, the change that this makes.
    std::optional<Replica::Change> prove(SteadyTime now);
    // How it ended: once said to be a fault it stays one.
    void failed(std::string_view what, TurnEnd how = TurnEnd::Fault);
    void good();
    // Before the destructor, which says it ended as what was said last; a change is for the caller to publish.
    std::optional<Replica::Change> end(SteadyTime now);

private:
    enum class Phase : unsigned char { Whole, Expecting, Flowing, Paused };
    void move_to(Phase phase);

    Replica& replica_;
    LoadTicket ticket_;
    Phase phase_ = Phase::Whole;
    Replica::End end_;
    bool ended_ = false;
};

}  // namespace stoker::gateway
