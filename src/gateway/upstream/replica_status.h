// What the gateway knows of one replica, as a value for pages, detectors and healing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace stoker::gateway {

// Serving: takes traffic. Ejected: takes none until readmit() (somebody decided). Down: does not answer. Hung: accepts
// but makes no progress. Down and Hung take no traffic either and are probed.
enum class ReplicaState : std::uint8_t { Serving, Down, Hung, Ejected, Draining };
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
    bool health_ok = false;           // Last /health probe.
    std::string health_detail;        // "200 in 3 ms", "connect_refused"
    Timestamp health_at;
};

// Something the gateway noticed about a replica; diagnose makes incidents of them.
struct ReplicaEvent {
    enum class Kind : std::uint8_t { Down, Hung, Recovered, Ejected, Readmitted };
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
