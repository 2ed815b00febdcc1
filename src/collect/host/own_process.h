// What every program that Prometheus scrapes says of itself: process_*
// (prometheus.io/docs/instrumenting/writing_clientlibs, "Process metrics") and its version.
#pragma once

#include <string>

#include "base/metrics.h"

namespace stoker::collect {

// Adds process_cpu_seconds_total, process_open_fds, process_max_fds, process_virtual_memory_bytes,
// process_resident_memory_bytes, process_start_time_seconds, process_threads and stoker_build_info{version}, read from
// `procfs` at each gathering. What can't be read keeps its last value.
void expose_own_process(metrics::Registry& registry, const std::string& version, const std::string& procfs = "/proc");

}  // namespace stoker::collect
