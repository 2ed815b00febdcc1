// node_exporter's collectors "pressure" and "schedstat".
#include <array>

#include "collect/host/collectors.h"
#include "collect/host/host_parsers.h"

namespace stoker::collect {
namespace {

using enum MetricType;

constexpr MetricFamily kCpuWaiting{"node_pressure_cpu_waiting_seconds_total", Counter,
                                   "Seconds in which some task waited for CPU."};
constexpr MetricFamily kIoWaiting{"node_pressure_io_waiting_seconds_total", Counter,
                                  "Seconds in which some task waited for I/O."};
constexpr MetricFamily kIoStalled{"node_pressure_io_stalled_seconds_total", Counter,
                                  "Seconds in which no task could go on for I/O."};
constexpr MetricFamily kMemoryWaiting{"node_pressure_memory_waiting_seconds_total", Counter,
                                      "Seconds in which some task waited for memory."};
constexpr MetricFamily kMemoryStalled{"node_pressure_memory_stalled_seconds_total", Counter,
                                      "Seconds in which no task could go on for memory."};

}  // namespace

PressureTotals parse_pressure(std::string_view text) {
    PressureTotals totals;
    each_line(text, [&totals](std::string_view line) {
        const std::size_t at = line.find("total=");
        if (at == std::string_view::npos) return;
        const auto micros = kernel_number(line.substr(at + 6));
        if (!micros) return;
        if (line.starts_with("some ")) totals.some = *micros / 1e6;
        if (line.starts_with("full ")) totals.full = *micros / 1e6;
    });
    return totals;
}

void parse_schedstat(std::string_view text, SamplePage& out) {
    constexpr double kNanos = 1e-9;
    static constexpr std::array<FileMetric, 3> kFields = {
        {{"", {"node_schedstat_running_seconds_total", Counter, "Seconds a CPU spent running processes."}, kNanos},
         {"", {"node_schedstat_waiting_seconds_total", Counter, "Seconds processes waited for this CPU."}, kNanos},
         {"", {"node_schedstat_timeslices_total", Counter, "Time slices of a CPU."}, 1}}};
    constexpr std::size_t kFirst = 7;  // Documentation/scheduler/sched-stats.rst: the last three of nine.
    each_line(text, [&out](std::string_view line) {
        if (!line.starts_with("cpu")) return;
        const auto fields = words(line);
        for (std::size_t i = 0; i < kFields.size() && kFirst + i < fields.size(); ++i) {
            const auto value = kernel_number(fields[kFirst + i]);
            if (value) out.add(kFields[i].family, {{"cpu", fields[0].substr(3)}}, *value * kFields[i].scale);
        }
    });
}

Result<Unit> collect_pressure(HostContext& host) {
    // A CPU is never stalled for all tasks; the kernel's "full" line there is for show.
    TRY(const auto cpu, host.files.read(host.proc("pressure/cpu")));
    host.page.add(kCpuWaiting, parse_pressure(cpu).some.value_or(0));
    TRY(const auto io, host.files.read(host.proc("pressure/io")));
    const PressureTotals io_totals = parse_pressure(io);
    host.page.add(kIoWaiting, io_totals.some.value_or(0));
    host.page.add(kIoStalled, io_totals.full.value_or(0));
    TRY(const auto memory, host.files.read(host.proc("pressure/memory")));
    const PressureTotals memory_totals = parse_pressure(memory);
    host.page.add(kMemoryWaiting, memory_totals.some.value_or(0));
    host.page.add(kMemoryStalled, memory_totals.full.value_or(0));
    return Unit{};
}

Result<Unit> collect_schedstat(HostContext& host) {
    TRY(const auto text, host.files.read(host.proc("schedstat")));
    parse_schedstat(text, host.page);
    return Unit{};
}

}  // namespace stoker::collect
