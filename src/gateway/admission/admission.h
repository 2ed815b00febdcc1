// A pool's gate with all that belongs to it, and how it hears of what changes around it.
#pragma once

#include <vector>

#include "gateway/admission/admission_gate.h"
#include "gateway/admission/admission_metrics.h"

namespace stoker::gateway {

class RouteTable;
struct Pool;

// Shared by all tables that have the pool, and by everybody who waits, whatever becomes of the pool.
struct Admission {
    AdmissionGate gate;
    AdmissionSeries series;  // Set before the gate is first active.
};

// Gives the gates of a table that is about to be in force its options and replicas.
void configure_admission(const RouteTable& table, AdmissionMetrics& metrics);

// A replica of the pool has changed. Null: nothing.
void refresh_admission(const Pool* pool);

// Of the pools that have a limit, by name.
std::vector<AdmissionStatus> admission_statuses(const RouteTable& table, std::size_t most_lines);

}  // namespace stoker::gateway
