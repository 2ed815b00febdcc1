// Inference engines as processes, and Stoker itself, under process-exporter's names: CPU, memory, threads, file
// descriptors, I/O, start time, summed up by engine (label groupname).
#pragma once

#include <memory>

#include "collect/host/host_options.h"
#include "collect/source.h"

namespace stoker::collect {

// Counters of a group go on when one of its processes ends. What another user's processes do not show (I/O, file
// descriptors) is left out. job="process".
std::shared_ptr<Source> process_source(const HostOptions& options);

}  // namespace stoker::collect
