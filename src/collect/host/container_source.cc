#include "collect/host/container_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>

#include "collect/host/cgroup_files.h"
#include "collect/host/collector_source.h"
#include "collect/host/container_names.h"

namespace stoker::collect {
namespace {

using enum MetricType;

constexpr std::size_t kMostContainers = 1024;
constexpr std::size_t kMostFolders = 8192;  // Looked into on one walk.
constexpr Duration kWalkEvery{10'000};

struct Container {
    std::string path;  // Below the root of control groups.
    ContainerName name;
    double started = 0;  // Unix time.
};

// A number that cadvisor also has, where the group says it.
struct Number {
    std::optional<double> CgroupUsage::*from;
    MetricFamily family;
};
constexpr std::array<Number, 18> kNumbers = {
    {{&CgroupUsage::cpu_seconds, {"container_cpu_usage_seconds_total", Counter, "CPU time used."}},
     {&CgroupUsage::cpu_user_seconds, {"container_cpu_user_seconds_total", Counter, "CPU time used by programs."}},
     {&CgroupUsage::cpu_system_seconds,
      {"container_cpu_system_seconds_total", Counter, "CPU time used by the kernel."}},
     {&CgroupUsage::cpu_periods, {"container_cpu_cfs_periods_total", Counter, "Periods of the CPU quota."}},
     {&CgroupUsage::cpu_throttled_periods,
      {"container_cpu_cfs_throttled_periods_total", Counter, "Periods in which the CPU quota was used up."}},
     {&CgroupUsage::cpu_throttled_seconds,
      {"container_cpu_cfs_throttled_seconds_total", Counter, "Time for which the CPU quota held it back."}},
     {&CgroupUsage::cpu_quota_micros, {"container_spec_cpu_quota", Gauge, "CPU quota of a period in microseconds."}},
     {&CgroupUsage::cpu_period_micros,
      {"container_spec_cpu_period", Gauge, "Period of the CPU quota in microseconds."}},
     {&CgroupUsage::memory_bytes, {"container_memory_usage_bytes", Gauge, "Memory charged, page cache included."}},
     {&CgroupUsage::memory_limit_bytes, {"container_spec_memory_limit_bytes", Gauge, "Memory limit; 0: none."}},
     {&CgroupUsage::memory_peak_bytes, {"container_memory_max_usage_bytes", Gauge, "Most memory ever charged."}},
     {&CgroupUsage::anonymous_bytes, {"container_memory_rss", Gauge, "Anonymous memory."}},
     {&CgroupUsage::cache_bytes, {"container_memory_cache", Gauge, "Page cache."}},
     {&CgroupUsage::mapped_bytes, {"container_memory_mapped_file", Gauge, "Files mapped into memory."}},
     {&CgroupUsage::swap_bytes, {"container_memory_swap", Gauge, "Memory in swap."}},
     {&CgroupUsage::oom_kills, {"container_oom_events_total", Counter, "Processes killed for want of memory."}},
     {&CgroupUsage::tasks, {"container_threads", Gauge, "Threads."}},
     {&CgroupUsage::tasks_limit, {"container_threads_max", Gauge, "Most threads; 0: no limit."}}}};
constexpr MetricFamily kWorkingSet{
    "container_memory_working_set_bytes", Gauge,
    "Memory that can't be taken back at once: what the kubelet and the OOM killer count."};
constexpr MetricFamily kStarted{"container_start_time_seconds", Gauge, "When it started, in Unix time."};
constexpr MetricFamily kReadBytes{"container_fs_reads_bytes_total", Counter, "Bytes read."};
constexpr MetricFamily kWriteBytes{"container_fs_writes_bytes_total", Counter, "Bytes written."};
constexpr MetricFamily kReads{"container_fs_reads_total", Counter, "Reads completed."};
constexpr MetricFamily kWrites{"container_fs_writes_total", Counter, "Writes completed."};

struct PressureFamilies {
    PressureTotals CgroupUsage::*from;
    MetricFamily waiting;
    MetricFamily stalled;
};
constexpr std::string_view kWaiting = "Time in which some task waited.";
constexpr std::string_view kStalled = "Time in which no task could go on.";
constexpr std::array<PressureFamilies, 3> kPressures = {
    {{&CgroupUsage::cpu_pressure,
      {"container_pressure_cpu_waiting_seconds_total", Counter, kWaiting},
      {"container_pressure_cpu_stalled_seconds_total", Counter, kStalled}},
     {&CgroupUsage::memory_pressure,
      {"container_pressure_memory_waiting_seconds_total", Counter, kWaiting},
      {"container_pressure_memory_stalled_seconds_total", Counter, kStalled}},
     {&CgroupUsage::io_pressure,
      {"container_pressure_io_waiting_seconds_total", Counter, kWaiting},
      {"container_pressure_io_stalled_seconds_total", Counter, kStalled}}}};

SampleBatch::Pairs container_labels(const HostOptions& options) {
    return {{"instance", options.instance.empty() ? host_name() : options.instance}, {"job", "cadvisor"}};
}

class ContainerSource : public Source {
public:
    explicit ContainerSource(const HostOptions& options) : host_(options, container_labels(options)) {}

    std::string_view name() const override { return "containers"; }
    std::size_t memory_bytes() const override {
        return host_.page.memory_bytes() + host_.files.memory_bytes() + containers_.size() * sizeof(Container);
    }

    Result<Unit> collect(Timestamp now, SampleSink& sink) override {
        host_.page.begin(now);
        // A clock that was set back does not put the next walk off.
        if (now - walked_ >= kWalkEvery || now < walked_) walk(now);
        for (const Container& container : containers_) add(container);
        host_.page.finish(sink);
        return Unit{};
    }

private:
    std::string groups() const { return host_.sys("fs/cgroup"); }
    // Version 1 has a tree for each controller; that of memory names the containers.
    std::string file(std::string_view controller, const Container& container, std::string_view name) const {
        std::string path = groups();
        if (!unified_) path.append("/").append(controller);
        return path.append(container.path).append("/").append(name);
    }

    void walk(Timestamp now) {
        walked_ = now;
        struct stat info {};
        unified_ = ::stat((groups() + "/cgroup.controllers").c_str(), &info) == 0;
        const std::string root = groups() + (unified_ ? "" : "/memory");
        std::map<std::string, Container> known;
        for (Container& container : containers_) {
            std::string path = container.path;
            known.emplace(std::move(path), std::move(container));
        }
        containers_.clear();
        std::deque<std::string> open = {""};
        for (std::size_t seen = 0; !open.empty() && seen < kMostFolders; ++seen) {
            const std::string path = std::move(open.front());
            open.pop_front();
            for (const std::string& child : folders_in(root + path)) {
                const std::string below = path + "/" + child;
                const ContainerPath parsed = parse_container_path(below);
                if (parsed.id.empty()) {
                    open.push_back(below);
                    continue;
                }
                if (containers_.size() == kMostContainers) return;
                const auto before = known.find(below);
                containers_.push_back(before != known.end() ? std::move(before->second)
                                                            : found(below, root + below, parsed));
            }
        }
    }

    Container found(const std::string& path, const std::string& folder, const ContainerPath& parsed) {
        Container container{.path = path, .name = read_container_name(host_, parsed)};
        struct stat info {};
        if (::stat(folder.c_str(), &info) == 0) container.started = static_cast<double>(info.st_ctime);
        return container;
    }

    void read_unified(const Container& container, CgroupUsage& out) {
        const auto with = [&](std::string_view name, auto parse) {
            if (const auto text = host_.files.read(file("", container, name))) parse(*text, out);
        };
        with("cpu.stat", parse_cpu_stat);
        with("cpu.max", parse_cpu_max);
        with("memory.stat", parse_memory_stat);
        with("io.stat", parse_io_stat);
        out.memory_bytes = host_.files.read_number(file("", container, "memory.current"));
        out.memory_peak_bytes = host_.files.read_number(file("", container, "memory.peak"));
        out.swap_bytes = host_.files.read_number(file("", container, "memory.swap.current"));
        out.tasks = host_.files.read_number(file("", container, "pids.current"));
        if (out.memory_bytes) {  // "max" is no number, and no limit.
            out.memory_limit_bytes = host_.files.read_number(file("", container, "memory.max")).value_or(0);
        }
        if (out.tasks) out.tasks_limit = host_.files.read_number(file("", container, "pids.max")).value_or(0);
        if (const auto text = host_.files.read(file("", container, "memory.events"))) {
            out.oom_kills = value_of(*text, "oom_kill");
        }
        const auto pressure = [&](std::string_view name) {
            const auto text = host_.files.read(file("", container, name));
            return text ? parse_pressure(*text) : PressureTotals{};
        };
        out.cpu_pressure = pressure("cpu.pressure");
        out.memory_pressure = pressure("memory.pressure");
        out.io_pressure = pressure("io.pressure");
    }

    void read_version1(const Container& container, CgroupUsage& out) {
        constexpr double kNanos = 1e9;
        constexpr double kTicks = 100;                // USER_HZ.
        constexpr double kNoLimit = 0x7ffffffffffff;  // The kernel writes the largest multiple of a page.
        const auto number = [&](std::string_view controller, std::string_view name) {
            return host_.files.read_number(file(controller, container, name));
        };
        if (const auto nanos = number("cpuacct", "cpuacct.usage")) out.cpu_seconds = *nanos / kNanos;
        if (const auto text = host_.files.read(file("cpuacct", container, "cpuacct.stat"))) {
            if (const auto ticks = value_of(*text, "user")) out.cpu_user_seconds = *ticks / kTicks;
            if (const auto ticks = value_of(*text, "system")) out.cpu_system_seconds = *ticks / kTicks;
        }
        if (const auto text = host_.files.read(file("cpu", container, "cpu.stat"))) {
            out.cpu_periods = value_of(*text, "nr_periods");
            out.cpu_throttled_periods = value_of(*text, "nr_throttled");
            if (const auto nanos = value_of(*text, "throttled_time")) out.cpu_throttled_seconds = *nanos / kNanos;
        }
        const auto quota = number("cpu", "cpu.cfs_quota_us");
        if (quota && *quota > 0) out.cpu_quota_micros = quota;
        out.cpu_period_micros = number("cpu", "cpu.cfs_period_us");
        out.memory_bytes = number("memory", "memory.usage_in_bytes");
        out.memory_peak_bytes = number("memory", "memory.max_usage_in_bytes");
        const auto limit = number("memory", "memory.limit_in_bytes");
        if (limit) out.memory_limit_bytes = *limit < kNoLimit ? *limit : 0;
        if (const auto text = host_.files.read(file("memory", container, "memory.stat"))) {
            out.anonymous_bytes = value_of(*text, "total_rss");
            out.cache_bytes = value_of(*text, "total_cache");
            out.mapped_bytes = value_of(*text, "total_mapped_file");
            out.inactive_file_bytes = value_of(*text, "total_inactive_file");
            out.swap_bytes = value_of(*text, "total_swap");
        }
        if (const auto text = host_.files.read(file("memory", container, "memory.oom_control"))) {
            out.oom_kills = value_of(*text, "oom_kill");
        }
        if (const auto text = host_.files.read(file("blkio", container, "blkio.throttle.io_service_bytes_recursive"))) {
            parse_blkio_bytes(*text, out);
        }
        if (const auto text = host_.files.read(file("blkio", container, "blkio.throttle.io_serviced_recursive"))) {
            parse_blkio_operations(*text, out);
        }
        out.tasks = number("pids", "pids.current");
    }

    // "8:0" as "/dev/sda".
    std::string device_of(const std::string& number) {
        const auto known = devices_.find(number);
        if (known != devices_.end()) return known->second;
        std::string name;
        if (const auto text = host_.files.read(host_.sys("dev/block/") + number + "/uevent")) {
            each_line(*text, [&name](std::string_view line) {
                if (line.starts_with("DEVNAME=")) name = "/dev/" + std::string(line.substr(8));
            });
        }
        if (devices_.size() < kMostContainers) devices_.emplace(number, name);
        return name;
    }

    void add(const Container& container) {
        CgroupUsage usage;
        unified_ ? read_unified(container, usage) : read_version1(container, usage);
        if (!usage.memory_bytes && !usage.cpu_seconds) return;  // Gone since the walk.
        const ContainerName& name = container.name;
        const std::string_view in_pod = name.pause ? std::string_view("POD") : std::string_view(name.k8s_container);
        const std::array<SamplePage::Label, 6> labels = {{{"id", container.path},
                                                          {"name", name.name},
                                                          {"image", name.image},
                                                          {"container", in_pod},
                                                          {"pod", name.k8s_pod},
                                                          {"namespace", name.k8s_namespace}}};
        for (const Number& number : kNumbers) {
            if (usage.*number.from) host_.page.add(number.family, labels, *(usage.*number.from));
        }
        if (usage.memory_bytes && usage.inactive_file_bytes) {
            host_.page.add(kWorkingSet, labels, std::max(0.0, *usage.memory_bytes - *usage.inactive_file_bytes));
        }
        host_.page.add(kStarted, labels, container.started);
        for (const PressureFamilies& pressure : kPressures) {
            const PressureTotals& totals = usage.*pressure.from;
            if (totals.some) host_.page.add(pressure.waiting, labels, *totals.some);
            if (totals.full) host_.page.add(pressure.stalled, labels, *totals.full);
        }
        for (const auto& [number, io] : usage.io) add_io(number, io, labels);
    }

    void add_io(const std::string& number, const CgroupIo& io, const std::array<SamplePage::Label, 6>& labels) {
        const std::string device = device_of(number);
        std::array<SamplePage::Label, 7> with_device;
        std::copy(labels.begin(), labels.end(), with_device.begin());
        with_device.back() = {"device", device.empty() ? std::string_view(number) : std::string_view(device)};
        host_.page.add(kReadBytes, with_device, io.read_bytes);
        host_.page.add(kWriteBytes, with_device, io.write_bytes);
        host_.page.add(kReads, with_device, io.reads);
        host_.page.add(kWrites, with_device, io.writes);
    }

    HostContext host_;
    bool unified_ = true;
    Timestamp walked_{};
    std::vector<Container> containers_;
    std::map<std::string, std::string> devices_;  // By "major:minor".
};

}  // namespace

std::shared_ptr<Source> container_source(const HostOptions& options) {
    return std::make_shared<ContainerSource>(options);
}

}  // namespace stoker::collect
