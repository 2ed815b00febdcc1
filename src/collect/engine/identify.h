// Tells which inference engine stands behind an address, from what it answered to a few harmless GETs.
//
// A pure function: probes and adapters in, identity out. It wants evidence that only that engine gives (its own metric
// prefix, its name as owner of models, the shape of its own endpoints); a web server, Stoker itself or another gateway
// is never taken for an engine. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collect/engine/adapters.h"

namespace stoker::collect {

// One answer to GET `path`. A probe that got none is left out.
struct ProbeAnswer {
    std::string path;
    int status = 0;
    std::string server;  // The Server header.
    std::string body;    // At most kMaxProbeBody bytes of it.
};

inline constexpr std::size_t kMaxProbeBody = std::size_t{256} << 10;

struct EngineIdentity {
    std::string kind;                 // An adapter's name; empty: nothing that is known.
    std::string version;              // As the engine writes it; empty if it does not say.
    std::vector<std::string> models;  // Its own names.
    std::string quantization;         // These as the engine writes them; empty if it does not say.
    std::string dtype;
    std::int64_t context_length = 0;  // Tokens; 0: not known.
    friend bool operator==(const EngineIdentity&, const EngineIdentity&) = default;
};

// What every server is asked first; these recognise most engines.
inline constexpr std::string_view kFirstQuestions[] = {"/v1/models", "/metrics"};

// The other paths to ask, in order: those where the engine of this kind says what it is, or, of an unknown kind, all
// that any adapter looks at.
std::vector<std::string> further_questions(const Adapters& adapters, std::string_view kind);

EngineIdentity identify(const Adapters& adapters, const std::vector<ProbeAnswer>& answers);

}  // namespace stoker::collect
