// Tells which inference engine stands behind an address, from what it answered to a few harmless GETs.
//
// A pure function: probes in, identity out. It wants evidence that only that engine gives (its own metric prefix, its
// name as owner of models, the shape of its own endpoints); a web server, Stoker itself or another gateway is never
// taken for an engine. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collect/engine/engine_kind.h"

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
    EngineKind kind = EngineKind::Unknown;
    std::string version;              // As the engine writes it; empty if it does not say.
    std::vector<std::string> models;  // Its own names.
};

// The paths to ask, in order.
const std::vector<std::string>& probe_paths();

EngineIdentity identify(const std::vector<ProbeAnswer>& answers);

}  // namespace stoker::collect
