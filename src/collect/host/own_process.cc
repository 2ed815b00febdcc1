#include "collect/host/own_process.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/time.h"
#include "collect/host/process_parsers.h"

namespace stoker::collect {
namespace {

struct Gauges {
    metrics::Counter& cpu;
    metrics::Gauge& open_files;
    metrics::Gauge& most_files;
    metrics::Gauge& virtual_bytes;
    metrics::Gauge& resident_bytes;
    metrics::Gauge& threads;
};

void read(const std::string& folder, const Gauges& gauges) {
    if (const auto text = read_file(folder + "/stat"); text) {
        if (const auto stat = parse_process_stat(*text); stat) {
            gauges.cpu.add(std::max(0.0, stat->user_seconds + stat->system_seconds - gauges.cpu.value()));
            gauges.virtual_bytes.set(stat->virtual_bytes);
            gauges.resident_bytes.set(stat->resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
            gauges.threads.set(stat->threads);
        }
    }
    if (const auto text = read_file(folder + "/limits"); text) {
        if (const auto most = parse_open_files_limit(*text); most) gauges.most_files.set(*most);
    }
    std::error_code failed;
    std::filesystem::directory_iterator files(folder + "/fd", failed);
    double count = 0;
    for (; !failed && files != std::filesystem::directory_iterator(); files.increment(failed)) ++count;
    if (!failed) gauges.open_files.set(count - 1);  // One is the folder's own.
}

}  // namespace

void expose_own_process(metrics::Registry& registry, const std::string& version, const std::string& procfs) {
    registry.gauge("stoker_build_info", "Always 1; the label says which version runs.", {"version"})
        .with({version})
        .set(1);
    registry.gauge("process_start_time_seconds", "When the process began, in seconds since 1970.")
        .with()
        .set(static_cast<double>(to_millis(now())) / 1000);
    const auto gauge = [&registry](const char* name, const char* help) -> metrics::Gauge& {
        return registry.gauge(name, help).with();
    };
    const Gauges gauges{
        .cpu = registry.counter("process_cpu_seconds_total", "CPU time of the process, user and system.").with(),
        .open_files = gauge("process_open_fds", "File descriptors that are open."),
        .most_files = gauge("process_max_fds", "How many file descriptors may be open."),
        .virtual_bytes = gauge("process_virtual_memory_bytes", "Virtual memory of the process."),
        .resident_bytes = gauge("process_resident_memory_bytes", "Resident memory of the process."),
        .threads = gauge("process_threads", "Threads of the process."),
    };
    registry.on_gather([gauges, folder = procfs + "/self"] { read(folder, gauges); });
}

}  // namespace stoker::collect
