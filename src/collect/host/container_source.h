// The containers of this machine, by their control groups, under cadvisor's names: CPU, throttling, memory, OOM kills,
// I/O, pressure. Both versions of control groups; version 1 has no pressure.
#pragma once

#include <memory>

#include "collect/host/host_options.h"
#include "collect/source.h"

namespace stoker::collect {

// Labels: id (the group's path), name, image; in Kubernetes also container, pod, namespace. job="cadvisor".
// At most 1024 containers; new ones are found within ten seconds.
std::shared_ptr<Source> container_source(const HostOptions& options);

}  // namespace stoker::collect
