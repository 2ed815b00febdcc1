// Kernel files and probe answers may hold anything.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "collect/engine/identify.h"
#include "collect/engine/json_page.h"
#include "collect/host/cgroup_files.h"
#include "collect/host/container_names.h"
#include "collect/host/host_parsers.h"
#include "collect/host/process_parsers.h"
#include "collect/scrape/scrape.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::collect;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    SamplePage out;
    out.begin(stoker::from_millis(1));
    for (auto* parse :
         {parse_stat_cpus, parse_stat, parse_loadavg, parse_meminfo, parse_vmstat, parse_schedstat, parse_netstat,
          parse_snmp6, parse_sockstat, parse_softnet, parse_arp, parse_conntrack, parse_mdstat, parse_os_release}) {
        parse(text, out);
    }
    const Exclusion none("");
    (void)parse_diskstats(text, none, out);
    (void)parse_netdev(text, none, out);
    (void)parse_pressure(text);
    (void)parse_udp_queues(text);
    (void)parse_mounts(text);
    CgroupUsage usage;
    for (auto* parse :
         {parse_cpu_stat, parse_cpu_max, parse_memory_stat, parse_io_stat, parse_blkio_bytes, parse_blkio_operations}) {
        parse(text, usage);
    }
    (void)parse_container_path(text);
    (void)parse_docker_state(text);
    (void)parse_oci_config(text);
    (void)process_group(text);
    (void)parse_process_stat(text);
    (void)parse_process_status(text);
    (void)parse_process_io(text);
    (void)parse_open_files_limit(text);
    const SensorFile sensor = parse_sensor_file(text);
    add_sensor_value("chip", text, sensor.type, sensor.property, false, text, out);
    static const auto adapters = Adapters::built_in();
    for (const auto& path : further_questions(*adapters, "")) {
        (void)identify(*adapters, {{path, 200, "", std::string(text)}});
    }
    (void)json_page(*adapters->find("ollama"), text);
    (void)parse_adapter(text, "fuzz.yaml", {"vllm"});

    Scrape scrape(SampleBatch::Pairs{{"job", "engine"}});
    Scraped scraped;
    for (const auto format : {PageFormat::Prometheus, PageFormat::OpenMetrics, PageFormat::Protobuf}) {
        (void)scrape.scraped(text, format, stoker::from_millis(1), stoker::Duration{1}, scraped);
    }
    scrape.ended(stoker::from_millis(2), scraped.samples);
    return 0;
}
