// A control group's files as numbers, of version 2 and of version 1. Pure functions, thread-safe.
//
// What a file does not say is empty, never 0.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "collect/host/host_parsers.h"

namespace stoker::collect {

struct CgroupIo {
    double read_bytes = 0;
    double write_bytes = 0;
    double reads = 0;
    double writes = 0;
    friend bool operator==(const CgroupIo&, const CgroupIo&) = default;
};

struct CgroupUsage {
    std::optional<double> cpu_seconds;
    std::optional<double> cpu_user_seconds;
    std::optional<double> cpu_system_seconds;
    std::optional<double> cpu_periods;            // Of the quota, while anything ran.
    std::optional<double> cpu_throttled_periods;  // In which the quota was used up.
    std::optional<double> cpu_throttled_seconds;
    std::optional<double> cpu_quota_micros;  // A period's share; empty: no limit.
    std::optional<double> cpu_period_micros;
    std::optional<double> memory_bytes;        // All that is charged, the page cache included.
    std::optional<double> memory_limit_bytes;  // 0: none.
    std::optional<double> memory_peak_bytes;
    std::optional<double> anonymous_bytes;
    std::optional<double> cache_bytes;
    std::optional<double> mapped_bytes;
    std::optional<double> inactive_file_bytes;
    std::optional<double> swap_bytes;
    std::optional<double> oom_kills;
    std::optional<double> tasks;
    std::optional<double> tasks_limit;   // 0: none.
    std::map<std::string, CgroupIo> io;  // By "major:minor".
    PressureTotals cpu_pressure;
    PressureTotals memory_pressure;
    PressureTotals io_pressure;
};

// "key value" lines (cpu.stat, memory.stat, memory.events). `value_of` is the value of `key`, or nothing.
std::optional<double> value_of(std::string_view text, std::string_view key);

void parse_cpu_stat(std::string_view text, CgroupUsage& out);     // Version 2: cpu.stat.
void parse_cpu_max(std::string_view text, CgroupUsage& out);      // Version 2: cpu.max, "max 100000" or "50000 100000".
void parse_memory_stat(std::string_view text, CgroupUsage& out);  // Version 2: memory.stat.
void parse_io_stat(std::string_view text, CgroupUsage& out);      // Version 2: io.stat, "8:0 rbytes=1 wbytes=2 ...".
// Version 1: blkio.throttle.io_service_bytes(_recursive) and io_serviced: "8:0 Read 1".
void parse_blkio_bytes(std::string_view text, CgroupUsage& out);
void parse_blkio_operations(std::string_view text, CgroupUsage& out);

}  // namespace stoker::collect
