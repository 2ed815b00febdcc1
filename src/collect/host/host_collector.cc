#include "collect/host/host_collector.h"

#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <array>
#include <functional>

#include "base/file.h"
#include "collect/host/host_parsers.h"

namespace stoker::collect {
namespace {

struct KernelFile {
    std::string_view collector;  // node_exporter's name of it.
    std::string_view path;
    std::function<void(std::string_view, SampleBatch&)> parse;
};

const std::vector<KernelFile>& kernel_files() {
    static const std::vector<KernelFile> all = {
        {"stat", "proc/stat", parse_stat},
        {"loadavg", "proc/loadavg", parse_loadavg},
        {"meminfo", "proc/meminfo", parse_meminfo},
        {"diskstats", "proc/diskstats", parse_diskstats},
        {"netdev", "proc/net/dev", parse_netdev},
        {"vmstat", "proc/vmstat", parse_vmstat},
        {"filefd", "proc/sys/fs/file-nr", parse_filefd},
    };
    return all;
}

}  // namespace

HostCollector::HostCollector(std::filesystem::path root, std::string instance)
    : root_(std::move(root)), instance_(std::move(instance)) {}

Result<Unit> HostCollector::collect(Timestamp now, SampleSink& sink) {
    SampleBatch out(now, {{"instance", instance_}, {"job", "node"}});
    auto report = [&out](std::string_view collector, SteadyTime began, bool success) {
        std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        SampleBatch::Pairs labels = {{"collector", std::string(collector)}};
        out.add("node_scrape_collector_duration_seconds", labels, took.count());
        out.add("node_scrape_collector_success", labels, success ? 1 : 0);
    };
    for (const auto& source : kernel_files()) {
        auto began = std::chrono::steady_clock::now();
        auto text = read_file(root_ / source.path);
        if (text) source.parse(*text, out);
        report(source.collector, began, text.has_value());
    }
    for (std::string_view name : {"cpu", "io", "memory"}) {  // Absent on kernels without it: no failure.
        if (auto text = read_file(root_ / "proc/pressure" / name)) parse_pressure(name, *text, out);
    }
    auto began = std::chrono::steady_clock::now();
    auto mounts = read_file(root_ / "proc/self/mounts");
    if (mounts) add_filesystems(*mounts, out);
    report("filesystem", began, mounts.has_value());
    add_uname(out);
    out.add("node_time_seconds", static_cast<double>(to_millis(now)) / 1000);
    sink.append(out.samples());
    return Unit{};
}

void HostCollector::add_filesystems(std::string_view mounts, SampleBatch& out) const {
    for (const Mount& mount : parse_mounts(mounts)) {
        struct statvfs info {};
        auto path = root_ / std::filesystem::path(mount.mountpoint).relative_path();
        if (statvfs(path.c_str(), &info) != 0) continue;
        SampleBatch::Pairs labels = {
            {"device", mount.device}, {"fstype", mount.fstype}, {"mountpoint", mount.mountpoint}};
        auto block = static_cast<double>(info.f_frsize);
        out.add("node_filesystem_size_bytes", labels, static_cast<double>(info.f_blocks) * block);
        out.add("node_filesystem_free_bytes", labels, static_cast<double>(info.f_bfree) * block);
        out.add("node_filesystem_avail_bytes", labels, static_cast<double>(info.f_bavail) * block);
        out.add("node_filesystem_files", labels, static_cast<double>(info.f_files));
        out.add("node_filesystem_files_free", labels, static_cast<double>(info.f_ffree));
        out.add("node_filesystem_readonly", labels, mount.read_only ? 1 : 0);
    }
}

void HostCollector::add_uname(SampleBatch& out) const {
    struct utsname name {};
    if (uname(&name) != 0) return;
    out.add("node_uname_info",
            {{"sysname", name.sysname},
             {"release", name.release},
             {"version", name.version},
             {"machine", name.machine},
             {"nodename", name.nodename},
             {"domainname", "(none)"}},
            1);
}

std::string host_name() {
    struct utsname name {};
    return uname(&name) == 0 && name.nodename[0] != '\0' ? name.nodename : "localhost";
}

}  // namespace stoker::collect
