// The collectors of this machine, each under the name that node_exporter gives it, and what they write under
// node_exporter's metric names, labels, units and types, so that its dashboards and rules work unchanged.
//
// Each reads a few files of the kernel; none of them waits for a device. Where a driver may (sensors), the collector is
// of a slow source; file systems have one of their own (filesystem_source.h).
#pragma once

#include <span>
#include <string_view>

#include "collect/host/host_context.h"

namespace stoker::collect {

Result<Unit> collect_arp(HostContext& host);
Result<Unit> collect_conntrack(HostContext& host);
Result<Unit> collect_cpu(HostContext& host);
Result<Unit> collect_cpufreq(HostContext& host);
Result<Unit> collect_diskstats(HostContext& host);
Result<Unit> collect_dmi(HostContext& host);
Result<Unit> collect_edac(HostContext& host);
Result<Unit> collect_entropy(HostContext& host);
Result<Unit> collect_filefd(HostContext& host);
Result<Unit> collect_hwmon(HostContext& host);
Result<Unit> collect_infiniband(HostContext& host);
Result<Unit> collect_loadavg(HostContext& host);
Result<Unit> collect_mdadm(HostContext& host);
Result<Unit> collect_meminfo(HostContext& host);
Result<Unit> collect_netclass(HostContext& host);
Result<Unit> collect_netdev(HostContext& host);
Result<Unit> collect_netstat(HostContext& host);
Result<Unit> collect_nvme(HostContext& host);
Result<Unit> collect_os(HostContext& host);
Result<Unit> collect_pressure(HostContext& host);
Result<Unit> collect_rapl(HostContext& host);
Result<Unit> collect_schedstat(HostContext& host);
Result<Unit> collect_sockstat(HostContext& host);
Result<Unit> collect_softnet(HostContext& host);
Result<Unit> collect_stat(HostContext& host);
Result<Unit> collect_tcpstat(HostContext& host);
Result<Unit> collect_thermal_zone(HostContext& host);
Result<Unit> collect_time(HostContext& host);
Result<Unit> collect_timex(HostContext& host);
Result<Unit> collect_udp_queues(HostContext& host);
Result<Unit> collect_uname(HostContext& host);
Result<Unit> collect_vmstat(HostContext& host);

}  // namespace stoker::collect
