// Reads the kernel's text files into node_exporter's metrics.
//
// Each function takes a file's whole text and adds what it understands; a line that it does not understand is left out
// and the others are kept, since kernels add fields. Pure functions, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collect/host/host_context.h"

namespace stoker::collect {

void parse_stat_cpus(std::string_view text, SamplePage& out);  // /proc/stat: node_cpu_*
void parse_stat(std::string_view text, SamplePage& out);     // /proc/stat: node_boot_time_seconds, node_intr_total, ...
void parse_loadavg(std::string_view text, SamplePage& out);  // /proc/loadavg: node_load1, 5, 15
void parse_meminfo(std::string_view text, SamplePage& out);  // /proc/meminfo: node_memory_*
void parse_vmstat(std::string_view text, SamplePage& out);   // /proc/vmstat: faults, paging, OOM kills
void parse_schedstat(std::string_view text, SamplePage& out);   // /proc/schedstat: node_schedstat_*{cpu}
void parse_netstat(std::string_view text, SamplePage& out);     // /proc/net/netstat and snmp: pairs of lines
void parse_snmp6(std::string_view text, SamplePage& out);       // /proc/net/snmp6: a name and a number a line
void parse_sockstat(std::string_view text, SamplePage& out);    // /proc/net/sockstat and sockstat6
void parse_softnet(std::string_view text, SamplePage& out);     // /proc/net/softnet_stat: a line a CPU, hexadecimal
void parse_arp(std::string_view text, SamplePage& out);         // /proc/net/arp: node_arp_entries{device}
void parse_conntrack(std::string_view text, SamplePage& out);   // /proc/net/stat/nf_conntrack: a line a CPU
void parse_mdstat(std::string_view text, SamplePage& out);      // /proc/mdstat: node_md_*{device}
void parse_os_release(std::string_view text, SamplePage& out);  // /etc/os-release: node_os_info, node_os_version

struct DiskId {
    std::string_view major;
    std::string_view minor;
    std::string_view device;
};
// /proc/diskstats: node_disk_*{device}. Returns the disks, as views of the text.
std::vector<DiskId> parse_diskstats(std::string_view text, const Exclusion& excluded, SamplePage& out);

// /proc/net/dev: node_network_{receive,transmit}_*{device}. Returns the interfaces.
std::vector<std::string> parse_netdev(std::string_view text, const Exclusion& excluded, SamplePage& out);

// Seconds in which some, and all, tasks waited. Of /proc/pressure/* and a cgroup's *.pressure.
struct PressureTotals {
    std::optional<double> some;
    std::optional<double> full;
};
PressureTotals parse_pressure(std::string_view text);

// Bytes waiting in the sockets of /proc/net/udp or udp6: sent but not gone, come but not read.
struct UdpQueues {
    double transmit = 0;
    double receive = 0;
};
UdpQueues parse_udp_queues(std::string_view text);

struct Mount {
    std::string device;
    std::string mountpoint;
    std::string fstype;
    bool read_only = false;
    friend bool operator==(const Mount&, const Mount&) = default;
};
// /proc/mounts, escapes undone; each (device, mount point, type) once.
std::vector<Mount> parse_mounts(std::string_view text);

// A name of a file in /sys/class/hwmon/hwmonN: "temp1_input" is {temp, 1, input}; "" type if it is none.
struct SensorFile {
    std::string type;
    int number = 0;
    std::string property;
};
SensorFile parse_sensor_file(std::string_view name);

// A sensor's file as metrics: node_hwmon_temp_celsius{chip,sensor} and so on. `bare`: the sensor also has a file
// without a property, so that "_input" is needed to tell them apart.
void add_sensor_value(std::string_view chip, std::string_view sensor, std::string_view type, std::string_view property,
                      bool bare, std::string_view value, SamplePage& out);

}  // namespace stoker::collect
