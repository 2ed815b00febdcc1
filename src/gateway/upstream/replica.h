// One replica as all loops share it: what it is doing (atomics, on the hot path), and how it is (a state machine behind
// a mutex, on the slow one). It outlives a reload that keeps it, and any request that still holds it.
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
#include "gateway/upstream/engine_kind.h"
#include "gateway/upstream/health.h"
#include "gateway/upstream/replica_status.h"
#include "net/http.h"

namespace stoker::gateway {

class Replica {
public:
    Replica(std::string id, std::string pool, net::Url url, std::string url_text, HealthOptions health);

    const std::string& id() const { return id_; }
    const std::string& pool() const { return pool_; }
    const net::Url& url() const { return url_; }

    // The hot path: may a request be sent here, and how much is there already?
    bool serving() const { return state_.load(std::memory_order_relaxed) == ReplicaState::Serving; }
    std::int64_t outstanding() const { return load_.requests(); }
    // The same in tokens, and what the engine says: for those who choose among replicas.
    ReplicaLoad& load() { return load_; }
    const ReplicaLoad& load() const { return load_; }
    // It said 429 or 503 with a Retry-After: others are asked first until then.
    bool resting(SteadyTime now) const;
    void rest_until(SteadyTime until);

    // What it is, as a probe has learnt; Unknown after it was away.
    EngineKind engine() const { return engine_.load(std::memory_order_relaxed); }
    void set_engine(EngineKind kind) { engine_.store(kind, std::memory_order_relaxed); }
    // It would not go on with another's answer; it is not asked to again for a while.
    bool refuses_continuation(SteadyTime now) const;
    void note_continuation_refused(SteadyTime now);

    // Accounting of one attempt; see Turn.
    LoadTicket begin(SteadyTime now, const LoadEstimate& estimate = {});
    void end(bool failed, const LoadTicket& ticket = {});
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
    std::optional<Change> on_probe(const Probe& probe, SteadyTime now);
    std::optional<Change> on_connect_refused(SteadyTime now);
    void on_connected();
    std::optional<Change> on_exit_hint(const std::string& reason);
    std::optional<Change> on_tick(SteadyTime now);
    std::optional<Change> eject(const std::string& reason);
    std::optional<Change> readmit();
    void drain();

    void configure(HealthOptions health, std::vector<std::string> models);
    bool needs_real_probe() const;
    Duration probe_delay() const;
    ReplicaStatus status() const;

private:
    Work work() const;
    std::optional<Change> publish(std::optional<Transition> transition) REQUIRES_LOCK(mutex_);
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
    std::atomic<std::int64_t> last_progress_{0};  // Steady clock ticks; 0: none yet.
    std::atomic<std::int64_t> busy_since_{0};     // When outstanding last left zero.
    std::atomic<std::int64_t> rest_until_{0};
    std::atomic<std::int64_t> no_continuation_until_{0};
    std::atomic<EngineKind> engine_{EngineKind::Unknown};
    std::atomic<int> refused_{0};  // Not zero: on_connected() has something to reset.

    mutable Mutex mutex_;
    ReplicaHealth health_ GUARDED_BY(mutex_);
    std::vector<std::string> models_ GUARDED_BY(mutex_);
    Timestamp since_ GUARDED_BY(mutex_);
    Timestamp probed_at_ GUARDED_BY(mutex_);
};

// One attempt's share of a replica's counters: counts from its construction to its end, whatever way it ends.
class Turn {
public:
    // `estimate`: what the request will presumably cost the replica.
    Turn(Replica& replica, bool stream, SteadyTime now, const LoadEstimate& estimate = {});
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
    void failed() { failed_ = true; }

private:
    enum class Phase : unsigned char { Whole, Expecting, Flowing, Paused };
    void move_to(Phase phase);

    Replica& replica_;
    LoadTicket ticket_;
    Phase phase_ = Phase::Whole;
    bool failed_ = false;
};

}  // namespace stoker::gateway
