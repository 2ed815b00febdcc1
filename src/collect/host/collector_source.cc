#include "collect/host/collector_source.h"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>

#include "collect/host/collectors.h"
#include "collect/host/container_source.h"
#include "collect/host/filesystem_source.h"
#include "collect/host/process_source.h"

namespace stoker::collect {
namespace {

struct Named {
    std::string_view name;
    CollectFn read;
};

constexpr std::array<Named, 26> kKernel = {
    {{"arp", collect_arp},           {"conntrack", collect_conntrack}, {"cpu", collect_cpu},
     {"cpufreq", collect_cpufreq},   {"diskstats", collect_diskstats}, {"dmi", collect_dmi},
     {"entropy", collect_entropy},   {"filefd", collect_filefd},       {"loadavg", collect_loadavg},
     {"mdadm", collect_mdadm},       {"meminfo", collect_meminfo},     {"netclass", collect_netclass},
     {"netdev", collect_netdev},     {"netstat", collect_netstat},     {"os", collect_os},
     {"pressure", collect_pressure}, {"schedstat", collect_schedstat}, {"sockstat", collect_sockstat},
     {"softnet", collect_softnet},   {"stat", collect_stat},           {"tcpstat", collect_tcpstat},
     {"time", collect_time},         {"timex", collect_timex},         {"udp_queues", collect_udp_queues},
     {"uname", collect_uname},       {"vmstat", collect_vmstat}}};
constexpr std::array<Named, 6> kSensors = {{{"edac", collect_edac},
                                            {"hwmon", collect_hwmon},
                                            {"infiniband", collect_infiniband},
                                            {"nvme", collect_nvme},
                                            {"rapl", collect_rapl},
                                            {"thermal_zone", collect_thermal_zone}}};
// Those that are a source by themselves.
constexpr std::string_view kFilesystem = "filesystem";
constexpr std::string_view kContainers = "containers";
constexpr std::string_view kProcesses = "processes";

bool is_chosen(std::string_view name, const HostOptions& options) {
    const auto has = [name](const std::vector<std::string>& list) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    return (options.include.empty() || has(options.include)) && !has(options.exclude);
}

std::vector<Named> chosen(std::span<const Named> all, const HostOptions& options) {
    std::vector<Named> out;
    for (const Named& one : all) {
        if (is_chosen(one.name, options)) out.push_back(one);
    }
    return out;
}

class CollectorSource : public Source {
public:
    CollectorSource(std::string name, std::vector<Named> collectors, const HostOptions& options)
        : name_(std::move(name)), collectors_(std::move(collectors)), host_(options, node_labels(options)) {}

    std::string_view name() const override { return name_; }
    std::size_t memory_bytes() const override { return host_.page.memory_bytes() + host_.files.memory_bytes(); }

    Result<Unit> collect(Timestamp now, SampleSink& sink) override {
        host_.now = now;
        host_.stat_text.clear();
        host_.page.begin(now);
        Result<Unit> result = Unit{};
        for (const auto& [collector, read] : collectors_) {
            const CollectFn function = read;
            Result<Unit> got = run_collector(collector, host_, [this, function] { return function(host_); });
            if (!got && result) result = std::move(got);
        }
        host_.page.finish(sink);
        return result;
    }

private:
    const std::string name_;
    const std::vector<Named> collectors_;
    HostContext host_;
};

}  // namespace

SampleBatch::Pairs node_labels(const HostOptions& options) {
    return {{"instance", options.instance.empty() ? host_name() : options.instance}, {"job", "node"}};
}

Result<Unit> run_collector(std::string_view name, HostContext& host, const std::function<Result<Unit>()>& read) {
    const SteadyTime began = std::chrono::steady_clock::now();
    Result<Unit> got = read();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    host.page.add({"node_scrape_collector_duration_seconds", MetricType::Gauge, "How long a collector took."},
                  {{"collector", name}}, took.count());
    host.page.add({"node_scrape_collector_success", MetricType::Gauge, "1 if a collector could read its files."},
                  {{"collector", name}}, got ? 1 : 0);
    if (!got && got.error().code == Errc::NotFound) return Unit{};
    if (!got) return std::move(got).error().context(name);
    return got;
}

std::vector<std::string> host_collector_names() {
    std::vector<std::string> names = {std::string(kContainers), std::string(kFilesystem), std::string(kProcesses)};
    for (const Named& one : kKernel) names.emplace_back(one.name);
    for (const Named& one : kSensors) names.emplace_back(one.name);
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::shared_ptr<Source>> host_sources(const HostOptions& options) {
    std::vector<std::shared_ptr<Source>> sources;
    auto kernel = chosen(kKernel, options);
    auto sensors = chosen(kSensors, options);
    if (!kernel.empty()) sources.push_back(std::make_shared<CollectorSource>("host", std::move(kernel), options));
    if (!sensors.empty()) sources.push_back(std::make_shared<CollectorSource>("sensors", std::move(sensors), options));
    if (is_chosen(kFilesystem, options)) sources.push_back(filesystem_source(options));
    if (is_chosen(kContainers, options)) sources.push_back(container_source(options));
    if (is_chosen(kProcesses, options)) sources.push_back(process_source(options));
    return sources;
}

std::string host_name() {
    struct utsname name {};
    return ::uname(&name) == 0 && name.nodename[0] != '\0' ? name.nodename : "localhost";
}

}  // namespace stoker::collect
