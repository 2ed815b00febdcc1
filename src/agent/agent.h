// The node agent: sources on their threads, the buffer, and the senders that empty it.
//
// Samples flow from a source's thread straight into the buffer, so a destination that is away stops nothing but its own
// sender. Everything that waits runs on one loop, what blocks on a pool of one thread.
#pragma once

#include <memory>

#include "agent/config.h"
#include "base/result.h"

namespace stoker::agent {

// Why run() returned.
enum class Ended { Asked, TooMuchMemory };

class Agent {
public:
    // Opens the buffer and prepares the senders. Errors: name what is wrong and what to do.
    static Result<std::unique_ptr<Agent>> create(Config config);
    virtual ~Agent() = default;

    // Works until SIGTERM or SIGINT, on the calling thread. Call once.
    virtual Ended run() = 0;
};

}  // namespace stoker::agent
