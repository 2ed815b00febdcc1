// node_exporter's collectors "cpu", "cpufreq", "stat", "loadavg".
#include <array>
#include <set>

#include "collect/host/collectors.h"
#include "collect/host/host_parsers.h"

namespace stoker::collect {
namespace {

using enum MetricType;

constexpr double kTicksPerSecond = 100;  // USER_HZ: a constant of the kernel's interface, whatever its own tick is.
constexpr MetricFamily kCpu{"node_cpu_seconds_total", Counter, "Seconds the CPUs spent in each mode."};
constexpr MetricFamily kGuest{"node_cpu_guest_seconds_total", Counter, "Seconds the CPUs spent in guests."};
constexpr MetricFamily kCoreThrottles{"node_cpu_core_throttles_total", Counter, "Times this CPU core was throttled."};
constexpr MetricFamily kPackageThrottles{"node_cpu_package_throttles_total", Counter,
                                         "Times this CPU package was throttled."};

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "cpu12" as "12"; "" for anything else.
std::string_view cpu_number(std::string_view name) {
    return name.starts_with("cpu") && is_digits(name.substr(3)) ? name.substr(3) : "";
}

void add_cpu(const std::vector<std::string_view>& fields, SamplePage& out) {
    constexpr std::array<std::string_view, 8> kModes = {"user",   "nice", "system",  "idle",
                                                        "iowait", "irq",  "softirq", "steal"};
    const std::string_view cpu = cpu_number(fields[0]);
    for (std::size_t i = 0; i < kModes.size() && i + 1 < fields.size(); ++i) {
        const auto ticks = kernel_number(fields[i + 1]);
        if (ticks) out.add(kCpu, {{"cpu", cpu}, {"mode", kModes[i]}}, *ticks / kTicksPerSecond);
    }
    constexpr std::array<std::string_view, 2> kGuestModes = {"user", "nice"};
    for (std::size_t i = 0; i < kGuestModes.size() && i + 9 < fields.size(); ++i) {
        const auto ticks = kernel_number(fields[i + 9]);
        if (ticks) out.add(kGuest, {{"cpu", cpu}, {"mode", kGuestModes[i]}}, *ticks / kTicksPerSecond);
    }
}

// Throttling events by core and by package; absent in virtual machines.
void add_throttles(HostContext& host) {
    std::set<std::string> cores;
    std::set<std::string> packages;
    const std::string folder = host.sys("devices/system/cpu");
    for (const std::string& name : names_in(folder)) {
        if (cpu_number(name).empty()) continue;
        const std::string cpu = folder + "/" + name;
        const auto core_count = host.files.read_number(cpu + "/thermal_throttle/core_throttle_count");
        const auto package_count = host.files.read_number(cpu + "/thermal_throttle/package_throttle_count");
        if (!core_count && !package_count) return;  // What one has, all have.
        const std::string package(host.files.read_line(cpu + "/topology/physical_package_id").value_or(""));
        const std::string core(host.files.read_line(cpu + "/topology/core_id").value_or(""));
        if (core_count && cores.insert(package + "/" + core).second) {
            host.page.add(kCoreThrottles, {{"core", core}, {"package", package}}, *core_count);
        }
        if (package_count && packages.insert(package).second) {
            host.page.add(kPackageThrottles, {{"package", package}}, *package_count);
        }
    }
}

Result<std::string_view> stat_text(HostContext& host) {
    if (host.stat_text.empty()) {
        TRY(const auto text, host.files.read(host.proc("stat")));
        host.stat_text = text;
    }
    return std::string_view(host.stat_text);
}

}  // namespace

void parse_stat_cpus(std::string_view text, SamplePage& out) {
    each_line(text, [&out](std::string_view line) {
        if (!line.starts_with("cpu")) return;
        const auto fields = words(line);
        if (fields.size() > 1 && !cpu_number(fields[0]).empty()) add_cpu(fields, out);
    });
}

void parse_stat(std::string_view text, SamplePage& out) {
    static constexpr std::array<FileMetric, 6> kLines = {
        {{"btime", {"node_boot_time_seconds", Gauge, "When this machine started, in Unix time."}},
         {"ctxt", {"node_context_switches_total", Counter, "Context switches."}},
         {"intr", {"node_intr_total", Counter, "Interrupts serviced."}},
         {"processes", {"node_forks_total", Counter, "Forks."}},
         {"procs_running", {"node_procs_running", Gauge, "Processes in runnable state."}},
         {"procs_blocked", {"node_procs_blocked", Gauge, "Processes blocked, waiting for I/O."}}}};
    each_line(text, [&out](std::string_view line) {
        for (const auto& [key, family, scale] : kLines) {
            if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') continue;
            // "intr" has a number for each interrupt behind the sum: only the first is looked at.
            std::string_view rest = line.substr(key.size() + 1);
            const auto value = kernel_number(rest.substr(0, rest.find(' ')));
            if (value) out.add(family, *value);
        }
    });
}

void parse_loadavg(std::string_view text, SamplePage& out) {
    static constexpr std::array<MetricFamily, 3> kLoads = {{{"node_load1", Gauge, "Load average over 1 minute."},
                                                            {"node_load5", Gauge, "Load average over 5 minutes."},
                                                            {"node_load15", Gauge, "Load average over 15 minutes."}}};
    const auto fields = words(text);
    for (std::size_t i = 0; i < kLoads.size() && i < fields.size(); ++i) {
        if (const auto value = kernel_number(fields[i])) out.add(kLoads[i], *value);
    }
}

Result<Unit> collect_cpu(HostContext& host) {
    TRY(const auto text, stat_text(host));
    parse_stat_cpus(text, host.page);
    add_throttles(host);
    return Unit{};
}

Result<Unit> collect_cpufreq(HostContext& host) {
    constexpr double kKilohertz = 1000;
    static constexpr std::array<FileMetric, 6> kFiles = {
        {{"cpuinfo_cur_freq", {"node_cpu_frequency_hertz", Gauge, "Frequency of a CPU thread."}},
         {"cpuinfo_min_freq", {"node_cpu_frequency_min_hertz", Gauge, "Lowest frequency of a CPU thread."}},
         {"cpuinfo_max_freq", {"node_cpu_frequency_max_hertz", Gauge, "Highest frequency of a CPU thread."}},
         {"scaling_cur_freq", {"node_cpu_scaling_frequency_hertz", Gauge, "Scaled frequency of a CPU thread."}},
         {"scaling_min_freq",
          {"node_cpu_scaling_frequency_min_hertz", Gauge, "Lowest scaled frequency of a CPU thread."}},
         {"scaling_max_freq",
          {"node_cpu_scaling_frequency_max_hertz", Gauge, "Highest scaled frequency of a CPU thread."}}}};
    const std::string folder = host.sys("devices/system/cpu");
    const auto names = names_in(folder);
    if (names.empty()) return Error{Errc::NotFound, folder + ": none"};
    bool any = false;
    for (const std::string& name : names) {
        const std::string_view cpu = cpu_number(name);
        if (cpu.empty()) continue;
        for (const auto& [file, family, scale] : kFiles) {
            const auto value = host.files.read_number(folder + "/" + name + "/cpufreq/" + std::string(file));
            if (value) host.page.add(family, {{"cpu", cpu}}, *value * kKilohertz);
            any = any || value;
        }
        if (!any) break;  // What one has, all have.
    }
    return Unit{};
}

Result<Unit> collect_stat(HostContext& host) {
    TRY(const auto text, stat_text(host));
    parse_stat(text, host.page);
    return Unit{};
}

Result<Unit> collect_loadavg(HostContext& host) {
    TRY(const auto text, host.files.read(host.proc("loadavg")));
    parse_loadavg(text, host.page);
    return Unit{};
}

}  // namespace stoker::collect
