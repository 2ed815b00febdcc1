// A simulated inference engine: vLLM's HTTP face, or another's metrics and endpoints, over a simulated scheduler, with
// faults on command.
//
//   /v1/chat/completions /v1/completions /v1/embeddings /v1/models   OpenAI's API, streamed or whole
//   /v1/load_lora_adapter /v1/unload_lora_adapter                    adapters that /v1/models then lists
//   /health /version /ping /metrics                                  as vLLM answers
//   /sim/faults                                                      POST sets a fault, GET lists, DELETE clears
//                                                                    (all, or one kind: DELETE /sim/faults?kind=hang)
//   /sim/requests                                                    GET: how many came, how many were given up
//   /sim/profile                                                     GET: what is being simulated
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "net/loops.h"
#include "twin/profile.h"

namespace stoker::twin {

struct SimOptions {
    std::string listen = "127.0.0.1:0";
    std::string model = "sim";
    std::string profile = "tiny";        // A name from profile.cc.
    std::string dialect = "vllm";        // Whose metrics and endpoints it shows: a name from dialect.cc.
    std::string continuation = "vllm";   // How a last assistant message is taken: vllm or llama.cpp.
    std::string version = {};            // What it says of itself; empty: the dialect's.
    std::string api_key;                 // Asked for as a bearer token under /v1 if not empty.
    std::uint32_t default_output = 0;    // Tokens where an answer ends by itself; 0: the profile's.
    std::uint64_t seed = 1;              // For faults with a probability.
    std::function<void(int)> exit = {};  // What the fault `crash` does; empty: ends the process at once, status 137.
};

class SimEngine {
public:
    // Errors: NotFound (profile, dialect), InvalidArgument (address), Conflict (address in use).
    // REQUIRES: `loops` and `registry` outlive it. The registry gets the server's own metrics; the engine's metrics are
    // its own, on /metrics.
    static Result<std::unique_ptr<SimEngine>> open(net::Loops& loops, SimOptions options, metrics::Registry& registry);
    virtual ~SimEngine() = default;  // stop()

    virtual std::string address() const = 0;  // HOST:PORT really bound.

    // Cuts what runs and returns once nothing does. REQUIRES: called from no loop, while the loops run.
    virtual void stop() = 0;
};

}  // namespace stoker::twin
