// Collectors that are read together, and what the sources of this machine have in common.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collect/host/host_context.h"
#include "collect/source.h"

namespace stoker::collect {

// instance and job="node".
SampleBatch::Pairs node_labels(const HostOptions& options);

// Runs `read`, and says how long it took and whether it worked as node_exporter does
// (node_scrape_collector_duration_seconds, node_scrape_collector_success). That there is nothing to read is no error of
// the round. Errors begin with the collector's name.
Result<Unit> run_collector(std::string_view name, HostContext& host, const std::function<Result<Unit>()>& read);

// All names of collectors, as `include` and `exclude` take them; sorted.
std::vector<std::string> host_collector_names();

// What reads this machine: "host" (the kernel's own files: about a millisecond), "sensors" (drivers, which may take
// their time), "filesystem" (which may hang), "containers" and "processes", without those whose collectors are all left
// out.
std::vector<std::shared_ptr<Source>> host_sources(const HostOptions& options);

// The machine's name, for the label `instance`.
std::string host_name();

}  // namespace stoker::collect
