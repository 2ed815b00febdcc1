// What the gateway knows of one replica, as a value for pages, detectors and healing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace stoker::gateway {

// Serving: takes traffic. Ejected: takes none until readmit() (somebody decided). Down: does not answer. Hung: accepts
// but makes no progress. Draining: finishes what it has, until an operator says otherwise. Down and Hung take no
// traffic either and are probed. Open: its requests failed, or it did much worse than its pool, so it is left alone for
// a while. HalfOpen: one request tries whether that is over.
enum class ReplicaState : std::uint8_t { Serving, Down, Hung, Ejected, Draining, Open, HalfOpen };
std::string_view to_string(ReplicaState state);  // snake_case

struct ReplicaStatus {
    std::string id;  // "chat/127.0.0.1:9001": pool and address, unique.
    std::string pool;
    std::string url;
    std::vector<std::string> models;  // Client-facing names.
    ReplicaState state = ReplicaState::Serving;
    std::string reason;            // Why it is not serving; empty if it is.
    Timestamp since;               // In this state.
    std::int64_t outstanding = 0;  // Requests sent and not finished.
    std::int64_t requests_total = 0;
    std::int64_t failures_total = 0;  // Of the replica's own making: 4xx never counts.
    Timestamp last_progress;          // Last byte of any answer; epoch if none yet.
    double weight = 1;                // Of its share of the requests: less than 1 while it starts slowly.
    int failures_in_row = 0;          // Of real requests.
    Timestamp trial_at;               // Open: when a request tries it again; else the epoch.
    bool health_ok = false;           // Last /health probe.
    std::string health_detail;        // "200 in 3 ms", "connect_refused"
    Timestamp health_at;
    int openings = 0;  // Not closed: how often its circuit has opened of late.
};

// Something the gateway noticed about a replica; diagnose makes incidents of them.
struct ReplicaEvent {
    enum class Kind : std::uint8_t { Down, Hung, Recovered, Ejected, Readmitted, Drained, Undrained, Opened, Closed };
    Kind kind{};
    std::string replica;
    Timestamp at;
    std::string reason;                 // One sentence.
    std::vector<std::string> evidence;  // Observations with numbers: "3 connections refused in 1.2 s".
    ReplicaStatus status;
};
std::string_view to_string(ReplicaEvent::Kind kind);

// Gets events, on any loop; must not block. Declared here, implemented by whoever connects the gateway to the brain.
class ReplicaObserver {
public:
    virtual ~ReplicaObserver() = default;
    virtual void on_replica_event(const ReplicaEvent& event) = 0;
};

}  // namespace stoker::gateway
