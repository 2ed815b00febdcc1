// What healing may ask about replicas and do to them. Declared here, implemented by whoever knows gateway and engines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace stoker::heal {

struct ReplicaFacts {
    bool known = false;        // It is in the present configuration.
    bool restartable = false;  // It has `run` or `systemd`.
    bool serving = false;      // The gateway sends it traffic.
};

struct PoolFacts {
    std::size_t total = 0;
    std::size_t serving = 0;
};

// Reads that cost nothing. Thread-safe.
class Fleet {
public:
    virtual ~Fleet() = default;
    virtual ReplicaFacts replica(const std::string& id) const = 0;
    virtual PoolFacts pool(const std::string& name) const = 0;
};

// Done; NotYet: try again until the step's limit; Failed: no use to wait any longer.
enum class StepStatus : std::uint8_t { Done, NotYet, Failed };

struct StepResult {
    StepStatus status = StepStatus::Failed;
    std::string detail;  // One sentence: "pid 4711", "/health answered 503", "exited at once with code 1".
};

// Acts. Each call blocks at most `limit` (and says NotYet or Failed when it passes), on a worker thread of the Healer,
// never on an event loop. All are safe to repeat. Thread-safe.
class ReplicaControl {
public:
    virtual ~ReplicaControl() = default;
    virtual StepResult eject(const std::string& replica, const std::string& reason, Duration limit) = 0;
    virtual StepResult readmit(const std::string& replica, Duration limit) = 0;
    virtual StepResult restart(const std::string& replica, Duration limit) = 0;
    // One look at /health. Failed if the engine's own process is known to have ended.
    virtual StepResult healthy(const std::string& replica, Duration limit) = 0;
    // One real, small completion through the replica, though it is ejected.
    virtual StepResult probe(const std::string& replica, Duration limit) = 0;
};

}  // namespace stoker::heal
