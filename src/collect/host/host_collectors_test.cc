#include <gtest/gtest.h>

#include "collect/host/collector_source.h"
#include "collect/host/collectors.h"
#include "collect/host/host_fixture.h"

namespace stoker::collect {
namespace {

using testing::FakeMachine;
using testing::Values;

TEST(HostCollectors, WhatIsNotThereIsSaidAndNothingElse) {
    const FakeMachine empty;
    for (CollectFn collect : {collect_cpu, collect_cpufreq, collect_conntrack, collect_hwmon, collect_nvme,
                              collect_infiniband, collect_rapl, collect_dmi, collect_schedstat, collect_mdadm}) {
        EXPECT_EQ(empty.read(collect), (Values{{"error", "not_found"}}));
    }
    for (CollectFn collect : {collect_edac, collect_thermal_zone}) EXPECT_TRUE(empty.read(collect).empty());
}

TEST(HostCollectors, CpuThrottlesByCoreAndPackage) {
    FakeMachine machine;
    machine.write("proc/stat", "cpu0 100 0 0 0\n");
    for (const char* cpu : {"cpu0", "cpu1"}) {  // Two threads of one core.
        const std::string folder = std::string("sys/devices/system/cpu/") + cpu;
        machine.write(folder + "/thermal_throttle/core_throttle_count", "5\n");
        machine.write(folder + "/thermal_throttle/package_throttle_count", "7\n");
        machine.write(folder + "/topology/physical_package_id", "0\n");
        machine.write(folder + "/topology/core_id", "3\n");
        machine.write(folder + "/cpufreq/scaling_cur_freq", "2400000\n");
    }
    auto got = machine.read(collect_cpu);
    EXPECT_EQ(got[R"(node_cpu_core_throttles_total{core="3",package="0"})"], "5");
    EXPECT_EQ(got[R"(node_cpu_package_throttles_total{package="0"})"], "7");
    EXPECT_EQ(machine.read(collect_cpufreq), (Values{{R"(node_cpu_scaling_frequency_hertz{cpu="0"})", "2.4e+09"},
                                                     {R"(node_cpu_scaling_frequency_hertz{cpu="1"})", "2.4e+09"}}));
}

TEST(HostCollectors, SensorsByTheirPlace) {
    FakeMachine machine;
    machine.write("sys/devices/pci0000:00/0000:01:00.0/vendor", "0x10de\n");
    machine.link("sys/class/hwmon/hwmon0/device", "sys/devices/pci0000:00/0000:01:00.0");
    machine.write("sys/class/hwmon/hwmon0/name", "k10temp\n");
    machine.write("sys/class/hwmon/hwmon0/temp1_input", "45500\n");
    machine.write("sys/class/hwmon/hwmon0/temp1_label", "Tctl (main)\n");
    EXPECT_EQ(
        machine.read(collect_hwmon),
        (Values{{R"(node_hwmon_chip_names{chip="pci0000:00_0000:01:00_0",chip_name="k10temp"})", "1"},
                {R"(node_hwmon_sensor_label{chip="pci0000:00_0000:01:00_0",label="tctl__main",sensor="temp1"})", "1"},
                {R"(node_hwmon_temp_celsius{chip="pci0000:00_0000:01:00_0",sensor="temp1"})", "45.5"}}));
    machine.write("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n");
    machine.write("sys/class/thermal/thermal_zone0/temp", "51000\n");
    machine.write("sys/class/thermal/cooling_device1/type", "Processor\n");
    machine.write("sys/class/thermal/cooling_device1/cur_state", "0\n");
    machine.write("sys/class/thermal/cooling_device1/max_state", "10\n");
    EXPECT_EQ(machine.read(collect_thermal_zone),
              (Values{{R"(node_thermal_zone_temp{type="x86_pkg_temp",zone="0"})", "51"},
                      {R"(node_cooling_device_cur_state{name="1",type="Processor"})", "0"},
                      {R"(node_cooling_device_max_state{name="1",type="Processor"})", "10"}}));
    machine.write("sys/class/powercap/intel-rapl/enabled", "1\n");
    machine.write("sys/class/powercap/intel-rapl:1/name", "package-1\n");
    machine.write("sys/class/powercap/intel-rapl:1/energy_uj", "2500000\n");
    auto energy = machine.read(collect_rapl);
    ASSERT_EQ(energy.size(), 1u);
    EXPECT_EQ(energy.begin()->first.substr(0, 47), "node_rapl_package_joules_total{index=\"1\",path=\"");
    EXPECT_EQ(energy.begin()->second, "2.5");
}

TEST(HostCollectors, DevicesOfServers) {
    FakeMachine machine;
    machine.write("sys/class/nvme/nvme0/model", "Fast Disk   \n");
    machine.write("sys/class/nvme/nvme0/state", "live\n");
    EXPECT_EQ(machine.read(collect_nvme),
              (Values{{R"(node_nvme_info{device="nvme0",model="Fast Disk",state="live"})", "1"}}));
    machine.write("sys/devices/system/edac/mc/mc0/ce_count", "1\n");
    machine.write("sys/devices/system/edac/mc/mc0/ue_count", "2\n");
    machine.write("sys/devices/system/edac/mc/mc0/csrow4/ce_count", "3\n");
    EXPECT_EQ(machine.read(collect_edac),
              (Values{{R"(node_edac_correctable_errors_total{controller="0"})", "1"},
                      {R"(node_edac_uncorrectable_errors_total{controller="0"})", "2"},
                      {R"(node_edac_csrow_correctable_errors_total{controller="0",csrow="4"})", "3"}}));
    const std::string port = "sys/class/infiniband/mlx5_0/ports/1/";
    machine.write(port + "state", "4: ACTIVE\n");
    machine.write(port + "rate", "100 Gb/sec (4X EDR)\n");
    machine.write(port + "counters/port_rcv_data", "1000\n");
    machine.write(port + "counters/link_downed", "N/A (no PMA)\n");
    machine.write("sys/class/infiniband/mlx5_0/fw_ver", "20.1\n");
    EXPECT_EQ(machine.read(collect_infiniband),
              (Values{{R"(node_infiniband_info{device="mlx5_0",firmware_version="20.1"})", "1"},
                      {R"(node_infiniband_state_id{device="mlx5_0",port="1"})", "4"},
                      {R"(node_infiniband_rate_bytes_per_second{device="mlx5_0",port="1"})", "1.25e+10"},
                      {R"(node_infiniband_port_data_received_bytes_total{device="mlx5_0",port="1"})", "4000"}}));
}

TEST(HostCollectors, InterfacesThatAreUpAndDown) {
    FakeMachine machine;
    machine.write("sys/class/net/eth0/ifindex", "4\n");
    machine.write("sys/class/net/eth0/flags", "0x1003\n");
    machine.write("sys/class/net/eth0/speed", "25000\n");
    machine.write("sys/class/net/eth0/operstate", "up\n");
    machine.write("sys/class/net/wlan0/ifindex", "5\n");
    machine.write("sys/class/net/wlan0/flags", "0x82\n");
    machine.write("sys/class/net/wlan0/speed", "-1\n");
    machine.write("sys/class/net/wlan0/operstate", "down\n");
    machine.write("sys/class/net/bonding_masters", "bond0\n");
    EXPECT_EQ(machine.read(collect_netclass), (Values{{R"(node_network_iface_id{device="eth0"})", "4"},
                                                      {R"(node_network_flags{device="eth0"})", "4099"},
                                                      {R"(node_network_speed_bytes{device="eth0"})", "3.125e+09"},
                                                      {R"(node_network_info{device="eth0",operstate="up"})", "1"},
                                                      {R"(node_network_up{device="eth0"})", "1"},
                                                      {R"(node_network_iface_id{device="wlan0"})", "5"},
                                                      {R"(node_network_flags{device="wlan0"})", "130"},
                                                      {R"(node_network_info{device="wlan0",operstate="down"})", "1"},
                                                      {R"(node_network_up{device="wlan0"})", "0"}}));
}

TEST(HostSources, SayWhichCollectorsWorked) {
    FakeMachine machine;
    machine.write("proc/loadavg", "1 2 3 4/5 6\n");
    machine.write("proc/sys/fs/file-nr", "broken\n");
    HostOptions options = machine.options();
    options.include = {"loadavg", "stat", "filefd", "time"};
    auto sources = host_sources(options);
    ASSERT_EQ(sources.size(), 1u);
    testing::RememberingSink sink;
    const auto got = sources[0]->collect(from_millis(5000), sink);
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().message, "filefd: sys/fs/file-nr: three numbers expected");
    EXPECT_EQ(sink.newest(R"(node_load1{instance="box"})"), "1");
    EXPECT_EQ(sink.newest(R"(node_time_seconds{instance="box"})"), "5");
    EXPECT_EQ(sink.newest(R"(node_scrape_collector_success{collector="loadavg",instance="box"})"), "1");
    EXPECT_EQ(sink.newest(R"(node_scrape_collector_success{collector="stat",instance="box"})"), "0");
    EXPECT_EQ(sink.newest(R"(node_scrape_collector_success{collector="filefd",instance="box"})"), "0");
    EXPECT_EQ(sink.batches(), 1u);
}

TEST(HostSources, ThisMachine) {
    HostOptions options;
    options.instance = "here";
    testing::RememberingSink sink;
    for (auto& source : host_sources(options)) {
        const auto got = source->collect(now(), sink);
        EXPECT_TRUE(got.has_value()) << got.error().message;
    }
    EXPECT_NE(sink.newest(R"(node_cpu_seconds_total{cpu="0",instance="here",mode="idle"})"), "absent") << sink.dump();
    EXPECT_NE(sink.newest(R"(node_memory_MemAvailable_bytes{instance="here"})"), "absent");
    EXPECT_NE(sink.newest(R"(node_network_receive_bytes_total{device="lo",instance="here"})"), "absent");
    EXPECT_NE(sink.newest(R"(node_tcp_connection_states{instance="here",state="listen"})"), "absent");
}

}  // namespace
}  // namespace stoker::collect
