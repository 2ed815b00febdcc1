// node_exporter's collector "filesystem", a source of its own because a file system may block for ever.
#pragma once

#include <memory>

#include "collect/host/host_options.h"
#include "collect/host/mount_prober.h"
#include "collect/source.h"

namespace stoker::collect {

// A mount point that hangs has node_filesystem_device_error 1 and no sizes; the others are as ever.
std::shared_ptr<Source> filesystem_source(const HostOptions& options, MountProber prober = MountProber());

}  // namespace stoker::collect
