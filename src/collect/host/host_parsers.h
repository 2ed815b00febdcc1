// Reads the kernel's text files into node_exporter's metrics: same names, labels, units and types, so that its
// dashboards and rules work unchanged.
//
// Each function takes a file's whole text and adds what it understands; a line that it does not understand is left out
// and the others are kept, since kernels add fields. Pure functions, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collect/sample_sink.h"

namespace stoker::collect {

void parse_stat(std::string_view text, SampleBatch& out);       // /proc/stat: node_cpu_*, node_boot_time_seconds, ...
void parse_loadavg(std::string_view text, SampleBatch& out);    // /proc/loadavg: node_load1, 5, 15
void parse_meminfo(std::string_view text, SampleBatch& out);    // /proc/meminfo: node_memory_*_bytes
void parse_diskstats(std::string_view text, SampleBatch& out);  // /proc/diskstats: node_disk_*{device}
void parse_netdev(std::string_view text, SampleBatch& out);     // /proc/net/dev: node_network_*{device}
void parse_vmstat(std::string_view text, SampleBatch& out);  // /proc/vmstat: node_vmstat_* (faults, paging, OOM kills)
void parse_filefd(std::string_view text, SampleBatch& out);  // /proc/sys/fs/file-nr: node_filefd_*
// /proc/pressure/NAME: node_pressure_NAME_waiting_seconds_total and _stalled_.
void parse_pressure(std::string_view name, std::string_view text, SampleBatch& out);

struct Mount {
    std::string device;
    std::string mountpoint;
    std::string fstype;
    bool read_only = false;
    friend bool operator==(const Mount&, const Mount&) = default;
};

// /proc/mounts without what node_exporter leaves out by default (pseudo file systems, container layers), and without
// network file systems, whose statistics may block for as long as a server is away. Each mount point once.
std::vector<Mount> parse_mounts(std::string_view text);

}  // namespace stoker::collect
