// Where incidents are kept across restarts, as IncidentBook needs it.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "diagnose/incident.h"
#include "state/state_store.h"

namespace stoker::diagnose {

// Thread-safe.
class IncidentStore {
public:
    virtual ~IncidentStore() = default;
    // Inserts or replaces by id.
    virtual Result<Unit> put(const Incident& incident) = 0;
    // All that are not over, and the newest `most_over` of the rest.
    virtual Result<std::vector<Incident>> load_all(std::size_t most_over) = 0;
};

// Keeps incidents in the collection state::kIncidents. REQUIRES: `store` outlives it.
std::unique_ptr<IncidentStore> make_incident_store(state::StateStore& store);

}  // namespace stoker::diagnose
