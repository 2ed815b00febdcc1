#include "collect/host/host_parsers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/host/host_fixture.h"

namespace stoker::collect {
namespace {

using testing::parsed;
using testing::Values;

TEST(HostParsers, Stat) {
    constexpr std::string_view kText =
        "cpu  300 0 0 0\ncpu0 100 20 30 400 5 6 7 8 9 10\nintr 99 1 2 3\nctxt 3255784\n"
        "btime 1795388044\nprocesses 28413\nprocs_running 3\nprocs_blocked 1\nsoftirq 1 2\n";
    EXPECT_EQ(parsed(parse_stat_cpus, kText),
              (Values{{R"(node_cpu_seconds_total{cpu="0",mode="user"})", "1"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="nice"})", "0.2"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="system"})", "0.3"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="idle"})", "4"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="iowait"})", "0.05"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="irq"})", "0.06"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="softirq"})", "0.07"},
                      {R"(node_cpu_seconds_total{cpu="0",mode="steal"})", "0.08"},
                      {R"(node_cpu_guest_seconds_total{cpu="0",mode="user"})", "0.09"},
                      {R"(node_cpu_guest_seconds_total{cpu="0",mode="nice"})", "0.1"}}));
    EXPECT_EQ(parsed(parse_stat, kText), (Values{{"node_intr_total", "99"},
                                                 {"node_context_switches_total", "3.255784e+06"},
                                                 {"node_boot_time_seconds", "1.795388044e+09"},
                                                 {"node_forks_total", "28413"},
                                                 {"node_procs_running", "3"},
                                                 {"node_procs_blocked", "1"}}));
}

TEST(HostParsers, LoadavgAndMeminfo) {
    EXPECT_EQ(parsed(parse_loadavg, "2.66 3.41 2.69 4/124 28414\n"),
              (Values{{"node_load1", "2.66"}, {"node_load5", "3.41"}, {"node_load15", "2.69"}}));
    EXPECT_EQ(parsed(parse_meminfo,
                     "MemTotal:       24683668 kB\nActive(anon):       1512 kB\nHugePages_Total:       3\n"
                     "Broken\nNoNumber: x kB\n"),
              (Values{{"node_memory_MemTotal_bytes", "2.5276076032e+10"},
                      {"node_memory_Active_anon_bytes", "1.548288e+06"},
                      {"node_memory_HugePages_Total", "3"}}));
}

TEST(HostParsers, DiskstatsOfWholeDisks) {
    const Exclusion excluded(HostOptions{}.exclude_disks);
    const auto disks = [&](std::string_view text, SamplePage& out) { (void)parse_diskstats(text, excluded, out); };
    auto got = parsed(disks,
                      " 254 0 vda 10 1 100 2000 20 2 200 4000 3 5000 6000 7 8 9 1000 11 12000\n"
                      " 254 1 vda1 1 1 1 1 1 1 1 1 1 1 1\n 7 0 loop0 1 1 1 1 1 1 1 1 1 1 1\n"
                      " 259 1 nvme0n1 5\n 259 2 nvme0n1p1 5\n 253 0 dm-0 6\n 253 1 zram0 6\n");
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
    const Exclusion excluded("^veth");
    const auto devices = [&](std::string_view text, SamplePage& out) { (void)parse_netdev(text, excluded, out); };
    auto got = parsed(devices,
                      "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes packets\n"
                      "    lo: 15 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\neth0:1 2 3 4 5 6 7 8 9 1 1 1 1 1 1 1\n"
                      "veth1: 1 2 3 4 5 6 7 8 9 1 1 1 1 1 1 1\n short: 1 2\n");
    EXPECT_EQ(got.size(), 32u);
    EXPECT_EQ(got[R"(node_network_receive_bytes_total{device="lo"})"], "15");
    EXPECT_EQ(got[R"(node_network_receive_drop_total{device="lo"})"], "4");
    EXPECT_EQ(got[R"(node_network_transmit_errs_total{device="lo"})"], "11");
    EXPECT_EQ(got[R"(node_network_receive_bytes_total{device="eth0"})"], "1");
}

TEST(HostParsers, NetstatTakesWhatDashboardsUse) {
    EXPECT_EQ(parsed(parse_netstat,
                     "Ip: Forwarding DefaultTTL\nIp: 2 64\nTcp: RtoAlgorithm ActiveOpens InErrs\nTcp: 1 3761 4\n"
                     "TcpExt: SyncookiesSent ListenOverflows TW\nTcpExt: 5 6 7\nUdp: InErrors\nUdp: 8 9 10\n"),
              (Values{{"node_netstat_Ip_Forwarding", "2"},
                      {"node_netstat_Tcp_ActiveOpens", "3761"},
                      {"node_netstat_Tcp_InErrs", "4"},
                      {"node_netstat_TcpExt_SyncookiesSent", "5"},
                      {"node_netstat_TcpExt_ListenOverflows", "6"},
                      {"node_netstat_Udp_InErrors", "8"}}));
    EXPECT_EQ(parsed(parse_snmp6, "Ip6InReceives 1\nIp6InOctets 2\nIcmp6InMsgs 3\nUdpLite6InErrors 4\nbroken\n"),
              (Values{{"node_netstat_Ip6_InOctets", "2"},
                      {"node_netstat_Icmp6_InMsgs", "3"},
                      {"node_netstat_UdpLite6_InErrors", "4"}}));
}

TEST(HostParsers, SocketsAndQueues) {
    EXPECT_EQ(
        parsed(parse_sockstat, "sockets: used 17\nTCP: inuse 1 mem 2\nFRAG6: inuse 0 memory 3\n"),
        (Values{{"node_sockstat_sockets_used", "17"},
                {"node_sockstat_TCP_inuse", "1"},
                {"node_sockstat_TCP_mem", "2"},
                {"node_sockstat_TCP_mem_bytes", format_number(2.0 * static_cast<double>(::sysconf(_SC_PAGESIZE)))},
                {"node_sockstat_FRAG6_inuse", "0"},
                {"node_sockstat_FRAG6_memory", "3"}}));
    EXPECT_EQ(parsed(parse_softnet, "00000010 00000002 0000000f 0\n00000011 0 0 0\n"),
              (Values{{R"(node_softnet_processed_total{cpu="0"})", "16"},
                      {R"(node_softnet_dropped_total{cpu="0"})", "2"},
                      {R"(node_softnet_times_squeezed_total{cpu="0"})", "15"},
                      {R"(node_softnet_processed_total{cpu="1"})", "17"},
                      {R"(node_softnet_dropped_total{cpu="1"})", "0"},
                      {R"(node_softnet_times_squeezed_total{cpu="1"})", "0"}}));
    const UdpQueues queues = parse_udp_queues(
        "  sl  local_address rem_address   st tx_queue rx_queue tr\n"
        "  0: 0100007F:0035 00000000:0000 07 00000010:00000020 00:00000000\n"
        "  1: 0100007F:0036 00000000:0000 07 00000001:00000000 00:00000000\n");
    EXPECT_EQ(queues.transmit, 17);
    EXPECT_EQ(queues.receive, 32);
    EXPECT_EQ(parsed(parse_arp,
                     "IP address HW type Flags HW address Mask Device\n192.0.2.1 0x1 0x2 02:fc:00:00:00:05 * eth0\n"
                     "192.0.2.2 0x1 0x0 00:00:00:00:00:00 * eth0\n192.0.2.3 0x1 0x2 02:fc:00:00:00:06 * eth1\n"),
              (Values{{R"(node_arp_entries{device="eth0"})", "2"}, {R"(node_arp_entries{device="eth1"})", "1"}}));
    EXPECT_EQ(parsed(parse_conntrack, "entries  found drop\n00000001 0000000a 00000001\n00000001 00000001 00000002\n"),
              (Values{{"node_nf_conntrack_stat_found", "11"}, {"node_nf_conntrack_stat_drop", "3"}}));
}

TEST(HostParsers, VmstatPressureAndSchedstat) {
    EXPECT_EQ(parsed(parse_vmstat, "nr_free_pages 5\npgfault 6\npgmajfault 7\npswpin 8\noom_kill 9\n"),
              (Values{{"node_vmstat_pgfault", "6"},
                      {"node_vmstat_pgmajfault", "7"},
                      {"node_vmstat_pswpin", "8"},
                      {"node_vmstat_oom_kill", "9"}}));
    const PressureTotals totals =
        parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 total=500000\n");
    EXPECT_EQ(totals.some, 1.5);
    EXPECT_EQ(totals.full, 0.5);
    EXPECT_FALSE(parse_pressure("some avg10=0.00\n").some.has_value());
    EXPECT_EQ(parsed(parse_schedstat, "version 15\ncpu3 0 0 0 0 0 0 2000000000 500000000 7\ndomain0 1\n"),
              (Values{{R"(node_schedstat_running_seconds_total{cpu="3"})", "2"},
                      {R"(node_schedstat_waiting_seconds_total{cpu="3"})", "0.5"},
                      {R"(node_schedstat_timeslices_total{cpu="3"})", "7"}}));
}

TEST(HostParsers, Mdstat) {
    auto got =
        parsed(parse_mdstat,
               "Personalities : [raid1] [raid0] [raid6]\n"
               "md3 : active raid6 sda1[8] sdh1[7] sdg1[6](F) sdf1[5](S)\n"
               "      5853468288 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/7] [UUUUUUU_]\n"
               "      bitmap: 0/22 pages [0KB], 65536KB chunk\n\n"
               "md8 : active raid1 sdb1[1] sda1[0]\n"
               "      195310144 blocks [2/2] [UU]\n"
               "      [=>...................]  resync =  8.5% (16775552/195310144) finish=17.0min\n\n"
               "md7 : active raid0 sdc1[0] sdd1[1]\n      7813735424 blocks 512k chunks\n\n"
               "md219 : inactive sdc[2](S)\n        7932 blocks super external:imsm\n\nunused devices: <none>\n");
    EXPECT_EQ(got[R"(node_md_disks{device="md3",state="active"})"], "7");
    EXPECT_EQ(got[R"(node_md_disks{device="md3",state="failed"})"], "1");
    EXPECT_EQ(got[R"(node_md_disks{device="md3",state="spare"})"], "1");
    EXPECT_EQ(got[R"(node_md_disks_required{device="md3"})"], "8");
    EXPECT_EQ(got[R"(node_md_blocks{device="md3"})"], "5.853468288e+09");
    EXPECT_EQ(got[R"(node_md_blocks_synced{device="md3"})"], "5.853468288e+09");
    EXPECT_EQ(got[R"(node_md_state{device="md3",state="active"})"], "1");
    EXPECT_EQ(got[R"(node_md_state{device="md8",state="resync"})"], "1");
    EXPECT_EQ(got[R"(node_md_state{device="md8",state="active"})"], "0");
    EXPECT_EQ(got[R"(node_md_blocks_synced{device="md8"})"], "1.6775552e+07");
    EXPECT_EQ(got[R"(node_md_disks_required{device="md7"})"], "2");
    EXPECT_EQ(got[R"(node_md_state{device="md219",state="inactive"})"], "1");
    EXPECT_EQ(got.size(), 4u * 11u);
}

TEST(HostParsers, OsRelease) {
    EXPECT_EQ(parsed(parse_os_release, "# comment\nID=debian\nNAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\nEMPTY=\n"),
              (Values{{R"(node_os_info{id="debian",name="Debian GNU/Linux",version_id="12"})", "1"},
                      {R"(node_os_version{id="debian",name="Debian GNU/Linux"})", "12"}}));
    EXPECT_EQ(parsed(parse_os_release, "ID=ubuntu\nVERSION_ID=22.04.1\n")[R"(node_os_version{id="ubuntu"})"], "22.04");
    EXPECT_EQ(parsed(parse_os_release, "ID=arch\n"), (Values{{R"(node_os_info{id="arch"})", "1"}}));
}

TEST(HostParsers, Mounts) {
    EXPECT_EQ(parse_mounts("proc /proc proc rw 0 0\n/dev/vdb /data\\040disk xfs ro,nosuid 0 0\n"
                           "/dev/vdb /data\\040disk xfs ro 0 0\nserver:/x /mnt/nfs nfs4 rw 0 0\nbroken line\n"),
              (std::vector<Mount>{{"proc", "/proc", "proc", false},
                                  {"/dev/vdb", "/data disk", "xfs", true},
                                  {"server:/x", "/mnt/nfs", "nfs4", false}}));
}

TEST(HostParsers, SensorFiles) {
    const auto show = [](std::string_view name) {
        const SensorFile file = parse_sensor_file(name);
        return file.type + "|" + std::to_string(file.number) + "|" + file.property;
    };
    EXPECT_EQ(show("temp1_input"), "temp|1|input");
    EXPECT_EQ(show("power12_average_interval"), "power|12|average_interval");
    EXPECT_EQ(show("pwm2"), "pwm|2|");
    EXPECT_EQ(show("update_interval"), "update_interval|0|");
    for (const char* other : {"name", "uevent", "temperature", "temp1input", "temp1_", "temp99999999999_input", ""}) {
        EXPECT_EQ(show(other), "|0|") << other;
    }
}

TEST(HostParsers, SensorValuesHaveUnits) {
    struct Case {
        const char* type;
        const char* property;
        const char* value;
        const char* wanted;  // Name and value.
    };
    const Case cases[] = {{"temp", "input", "45500", "node_hwmon_temp_celsius 45.5"},
                          {"temp", "crit", "100000", "node_hwmon_temp_crit_celsius 100"},
                          {"temp", "crit_alarm", "1", "node_hwmon_temp_crit_alarm_celsius 0.001"},
                          {"temp", "alarm", "1", "node_hwmon_temp_alarm 1"},
                          {"temp", "type", "6", "node_hwmon_temp_type 6"},
                          {"in", "input", "1200", "node_hwmon_in_volts 1.2"},
                          {"curr", "input", "1500", "node_hwmon_curr_amps 1.5"},
                          {"power", "average", "95000000", "node_hwmon_power_average_watt 95"},
                          {"power", "average_interval", "500", "node_hwmon_power_average_interval_seconds 0.5"},
                          {"power", "accuracy", "250000", "node_hwmon_power_accuracy 0.25"},
                          {"energy", "input", "2000000", "node_hwmon_energy_joule_total 2"},
                          {"fan", "input", "2400", "node_hwmon_fan_rpm 2400"},
                          {"fan", "min", "300", "node_hwmon_fan_min_rpm 300"},
                          {"fan", "pulses", "2", "node_hwmon_fan_pulses 2"},
                          {"pwm", "", "128", "node_hwmon_pwm 128"},
                          {"humidity", "input", "450000", "node_hwmon_humidity 0.45"},
                          {"beep_enable", "", "1", "node_hwmon_beep_enabled 1"},
                          {"update_interval", "", "1000", "node_hwmon_update_interval_seconds 1"}};
    for (const Case& one : cases) {
        SamplePage page;
        page.begin(from_millis(1));
        add_sensor_value("chip", "sensor1", one.type, one.property, false, one.value, page);
        ASSERT_EQ(page.samples().size(), 1u) << one.wanted;
        const auto& sample = page.samples()[0];
        EXPECT_EQ(std::string(sample.labels.metric()) + " " + testing::show(sample.sample.value), one.wanted);
    }
    SamplePage none;
    none.begin(from_millis(1));
    add_sensor_value("chip", "sensor1", "temp", "input", false, "N/A", none);
    EXPECT_TRUE(none.samples().empty());
}

TEST(HostParsers, BrokenTextGivesNothing) {
    for (const std::string_view text : {"", "\n\n", "cpu", "cpu0", "cpu0 x", "ctxt nan", "::::", "a b c d e", "\0\0"}) {
        for (auto* parse : {parse_stat_cpus, parse_stat, parse_loadavg, parse_meminfo, parse_vmstat, parse_schedstat,
                            parse_netstat, parse_snmp6, parse_sockstat, parse_arp, parse_conntrack, parse_mdstat}) {
            EXPECT_TRUE(parsed(parse, text).empty()) << text;
        }
    }
}

}  // namespace
}  // namespace stoker::collect
