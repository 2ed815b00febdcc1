#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "collect/host/host_collector.h"
#include "collect/host/host_parsers.h"
#include "collect/testing.h"

namespace stoker::collect {
namespace {

using testing::values;
using Values = std::map<std::string, std::string>;

template <typename Parse>
Values parsed(Parse parse, std::string_view text) {
    SampleBatch out(from_millis(1000));
    parse(text, out);
    return values(out.samples());
}

TEST(HostParsers, Stat) {
    EXPECT_EQ(parsed(parse_stat,
                     "cpu  300 0 0 0\ncpu0 100 20 30 400 5 6 7 8 9 10\nintr 99 1 2 3\nctxt 3255784\n"
                     "btime 1795388044\nprocesses 28413\nprocs_running 3\nprocs_blocked 1\nsoftirq 1 2\n"),
              (Values{{R"(node_cpu_seconds_total{cpu="0",mode="user"})", "1"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="nice"})", "0.2"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="system"})", "0.3"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="idle"})", "4"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="iowait"})", "0.05"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="irq"})", "0.06"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="softirq"})", "0.07"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="steal"})", "0.08"},
                      {R"(node_cpu_guest_seconds_total{cpu="0",mode="user"})", "0.09"},
                      {R"(node_cpu_guest_seconds_total{cpu="0",mode="nice"})", "0.1"},
                      {"node_intr_total", "99"},
                      {"node_context_switches_total", "3.255784e+06"},
                      {"node_boot_time_seconds", "1.795388044e+09"},
                      {"node_forks_total", "28413"},
                      {"node_procs_running", "3"},
                      {"node_procs_blocked", "1"}}));
}

TEST(HostParsers, Loadavg) {
    EXPECT_EQ(parsed(parse_loadavg, "2.66 3.41 2.69 4/124 28414\n"),
              (Values{{"node_load1", "2.66"}, {"node_load5", "3.41"}, {"node_load15", "2.69"}}));
}

TEST(HostParsers, Meminfo) {
    EXPECT_EQ(parsed(parse_meminfo,
                     "MemTotal:       24683668 kB\nActive(anon):       1512 kB\nHugePages_Total:       3\n"
                     "Broken\nNoNumber: x kB\n"),
              (Values{{"node_memory_MemTotal_bytes", "2.5276076032e+10"},
                      {"node_memory_Active_anon_bytes", "1.548288e+06"},
                      {"node_memory_HugePages_Total", "3"}}));
}

TEST(HostParsers, DiskstatsOfWholeDisks) {
    auto got = parsed(parse_diskstats,
                      " 254 0 vda 10 1 100 2000 20 2 200 4000 3 5000 6000 7 8 9 1000 11 12000\n"
                      " 254 1 vda1 1 1 1 1 1 1 1 1 1 1 1\n 7 0 loop0 1 1 1 1 1 1 1 1 1 1 1\n"
                      " 259 1 nvme0n1 5\n 259 2 nvme0n1p1 5\n 253 0 dm-0 6\n");
    EXPECT_EQ(got[R"(node_disk_read_bytes_total{device="vda"})"], "51200");
    EXPECT_EQ(got[R"(node_disk_read_time_seconds_total{device="vda"})"], "2");
    EXPECT_EQ(got[R"(node_disk_io_now{device="vda"})"], "3");
    EXPECT_EQ(got[R"(node_disk_io_time_seconds_total{device="vda"})"], "5");
    EXPECT_EQ(got[R"(node_disk_flush_requests_time_seconds_total{device="vda"})"], "12");
    EXPECT_EQ(got[R"(node_disk_reads_completed_total{device="nvme0n1"})"], "5");
    EXPECT_EQ(got[R"(node_disk_reads_completed_total{device="dm-0"})"], "6");
    EXPECT_EQ(got.size(), 17u + 2u);
}

TEST(HostParsers, Netdev) {
    auto got =
        parsed(parse_netdev,
               "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes packets\n"
               "    lo: 15 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\neth0:1 2 3 4 5 6 7 8 9 1 1 1 1 1 1 1\n short: 1 2\n");
    EXPECT_EQ(got.size(), 32u);
    EXPECT_EQ(got[R"(node_network_receive_bytes_total{device="lo"})"], "15");
    EXPECT_EQ(got[R"(node_network_receive_drop_total{device="lo"})"], "4");
    EXPECT_EQ(got[R"(node_network_transmit_errs_total{device="lo"})"], "11");
    EXPECT_EQ(got[R"(node_network_receive_bytes_total{device="eth0"})"], "1");
}

TEST(HostParsers, VmstatFilesAndPressure) {
    EXPECT_EQ(parsed(parse_vmstat, "nr_free_pages 5\npgfault 6\npgmajfault 7\npswpin 8\noom_kill 9\n"),
              (Values{{"node_vmstat_pgfault", "6"},
                      {"node_vmstat_pgmajfault", "7"},
                      {"node_vmstat_pswpin", "8"},
                      {"node_vmstat_oom_kill", "9"}}));
    EXPECT_EQ(parsed(parse_filefd, "1024\t0\t9223372036854775807\n").size(), 2u);
    auto io = [](std::string_view text, SampleBatch& out) { parse_pressure("io", text, out); };
    EXPECT_EQ(
        parsed(io, "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 total=500000\n"),
        (Values{{"node_pressure_io_waiting_seconds_total", "1.5"}, {"node_pressure_io_stalled_seconds_total", "0.5"}}));
}

TEST(HostParsers, MountsThatCount) {
    auto mounts = parse_mounts(
        "proc /proc proc rw 0 0\n/dev/vda / ext4 rw,relatime 0 0\n/dev/vdb /data\\040disk xfs ro,nosuid 0 0\n"
        "/dev/vdb /data\\040disk xfs ro 0 0\nserver:/x /mnt/nfs nfs4 rw 0 0\noverlay /var/lib/docker/overlay2/x ext4 "
        "rw 0 0\n"
        "tmpfs /dev/shm tmpfs rw 0 0\ntmpfs /run tmpfs rw 0 0\n");
    EXPECT_EQ(mounts, (std::vector<Mount>{{"/dev/vda", "/", "ext4", false},
                                          {"/dev/vdb", "/data disk", "xfs", true},
                                          {"tmpfs", "/run", "tmpfs", false}}));
}

TEST(HostParsers, BrokenTextGivesNothing) {
    for (std::string_view text : {"", "\n\n", "cpu", "cpu0", "cpu0 x", "ctxt nan", "::::", "a b c d e", "\0\0"}) {
        EXPECT_TRUE(parsed(parse_stat, text).empty()) << text;
        EXPECT_TRUE(parsed(parse_meminfo, text).empty()) << text;
        EXPECT_TRUE(parsed(parse_netdev, text).empty()) << text;
        EXPECT_TRUE(parsed(parse_diskstats, text).empty()) << text;
    }
}

TEST(HostCollector, SaysWhichFilesItCouldNotRead) {
    auto root = std::filesystem::temp_directory_path() / ("stoker-host-" + std::to_string(::getpid()));
    std::filesystem::create_directories(root / "proc");
    std::ofstream(root / "proc/loadavg") << "1 2 3 4/5 6\n";
    testing::RememberingSink sink;
    ASSERT_TRUE(HostCollector(root, "box").collect(from_millis(5000), sink).has_value());
    EXPECT_EQ(sink.newest(R"(node_load1{instance="box"})"), "1");
    EXPECT_EQ(sink.newest(R"(node_time_seconds{instance="box"})"), "5");
    EXPECT_EQ(sink.newest(R"(node_scrape_collector_success{collector="loadavg",instance="box"})"), "1");
    EXPECT_EQ(sink.newest(R"(node_scrape_collector_success{collector="stat",instance="box"})"), "0");
    EXPECT_EQ(sink.batches(), 1u);
    std::filesystem::remove_all(root);
}

TEST(HostCollector, ThisMachine) {
    testing::RememberingSink sink;
    ASSERT_TRUE(HostCollector("/", "here").collect(now(), sink).has_value());
    EXPECT_NE(sink.newest(R"(node_cpu_seconds_total{cpu="0",instance="here",mode="idle"})"), "absent") << sink.dump();
    EXPECT_NE(sink.newest(R"(node_memory_MemAvailable_bytes{instance="here"})"), "absent");
    EXPECT_NE(sink.newest(R"(node_network_receive_bytes_total{device="lo",instance="here"})"), "absent");
}

}  // namespace
}  // namespace stoker::collect
