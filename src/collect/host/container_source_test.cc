#include "collect/host/container_source.h"

#include <gtest/gtest.h>

#include "collect/host/cgroup_files.h"
#include "collect/host/container_names.h"
#include "collect/host/host_fixture.h"

namespace stoker::collect {
namespace {

using testing::FakeMachine;

const std::string kA(64, 'a');
const std::string kB(64, 'b');
const std::string kC(64, 'c');

TEST(ContainerPath, SaysTheRuntimesContainers) {
    const std::string uid = "6f5d6d2f-1c1e-4f4c-9d5c-0123456789ab";
    const std::string underscored = "6f5d6d2f_1c1e_4f4c_9d5c_0123456789ab";
    struct Case {
        std::string path;
        ContainerPath wanted;
    };
    const std::vector<Case> cases = {
        {"/docker/" + kA, {kA, ""}},
        {"/system.slice/docker-" + kA + ".scope", {kA, ""}},
        {"/machine.slice/libpod-" + kA + ".scope", {kA, ""}},
        {"/machine.slice/libpod-conmon-" + kA + ".scope", {}},
        {"/kubepods/burstable/pod" + uid + "/" + kA, {kA, uid}},
        {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + underscored + ".slice/cri-containerd-" +
             kA + ".scope",
         {kA, uid}},
        {"/kubepods.slice/kubepods-pod" + underscored + ".slice/crio-" + kA + ".scope", {kA, uid}},
        {"/kubepods.slice/kubepods-pod" + underscored + ".slice", {}},
        {"/system.slice/ssh.service", {}},
        {"/docker/" + kA.substr(1), {}},
        {"", {}}};
    for (const Case& one : cases) EXPECT_EQ(parse_container_path(one.path), one.wanted) << one.path;
}

TEST(ContainerNames, FromTheRuntimesOwnFiles) {
    EXPECT_EQ(parse_docker_state(R"({"Name":"/engine","Config":{"Image":"vllm/vllm-openai:v0.9","Labels":{}}})"),
              (ContainerName{.name = "engine", .image = "vllm/vllm-openai:v0.9"}));
    EXPECT_EQ(parse_oci_config(R"({"annotations":{"io.kubernetes.cri.container-name":"vllm",
        "io.kubernetes.cri.sandbox-name":"llama-0","io.kubernetes.cri.sandbox-namespace":"ai",
        "io.kubernetes.cri.image-name":"img","io.kubernetes.cri.container-type":"container"}})"),
              (ContainerName{.image = "img", .k8s_container = "vllm", .k8s_pod = "llama-0", .k8s_namespace = "ai"}));
    EXPECT_TRUE(parse_oci_config(R"({"annotations":{"io.kubernetes.cri.container-type":"sandbox"}})").pause);
    for (const char* broken : {"", "{", "[]", "7", R"({"Name":7,"Config":[],"annotations":"x"})"}) {
        EXPECT_EQ(parse_docker_state(broken), ContainerName{}) << broken;
        EXPECT_EQ(parse_oci_config(broken), ContainerName{}) << broken;
    }
}

TEST(CgroupFiles, SayNothingRatherThanZero) {
    CgroupUsage usage;
    parse_cpu_stat("usage_usec 1500000\nnr_periods x\n", usage);
    EXPECT_EQ(usage.cpu_seconds, 1.5);
    EXPECT_FALSE(usage.cpu_periods.has_value());
    parse_cpu_max("max 100000\n", usage);
    EXPECT_FALSE(usage.cpu_quota_micros.has_value());
    EXPECT_EQ(usage.cpu_period_micros, 100000);
    parse_io_stat("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0\nbroken\n", usage);
    EXPECT_EQ(usage.io, (std::map<std::string, CgroupIo>{{"8:0", {1, 2, 3, 4}}}));
    // "inactive_file" is not "file", nor is "file_mapped".
    parse_memory_stat("inactive_file 7\nfile_mapped 8\nfile 9\n", usage);
    EXPECT_EQ(usage.cache_bytes, 9);
    EXPECT_EQ(usage.inactive_file_bytes, 7);
}

// A machine with control groups of version 2, a Docker container and a pod of two.
void write_unified(FakeMachine& machine) {
    machine.write("sys/fs/cgroup/cgroup.controllers", "cpu memory io\n");
    const std::string docker = "sys/fs/cgroup/system.slice/docker-" + kA + ".scope/";
    machine.write(docker + "cpu.stat",
                  "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 10\nnr_throttled 4\n"
                  "throttled_usec 250000\n");
    machine.write(docker + "cpu.max", "50000 100000\n");
    machine.write(docker + "memory.current", "1000000\n");
    machine.write(docker + "memory.max", "max\n");
    machine.write(docker + "memory.stat", "anon 600000\nfile 300000\ninactive_file 200000\n");
    machine.write(docker + "memory.events", "low 0\noom 3\noom_kill 2\n");
    machine.write(docker + "io.stat", "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2\n");
    machine.write(docker + "cpu.pressure", "some avg10=0.00 total=1500000\nfull avg10=0.00 total=500000\n");
    machine.write(docker + "nested/cpu.stat", "usage_usec 1\n");
    machine.write("sys/dev/block/8:0/uevent", "MAJOR=8\nDEVNAME=sda\n");
    machine.write("root/var/lib/docker/containers/" + kA + "/config.v2.json",
                  R"({"Name":"/engine","Config":{"Image":"vllm:1"}})");
    machine.write(
        "sys/fs/cgroup/kubepods.slice/kubepods-pod6f5d6d2f_1c1e_4f4c_9d5c_0123456789ab.slice/cri-containerd-" + kB +
            ".scope/memory.current",
        "77\n");
    machine.write(
        "root/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + kB + "/config.json",
        R"({"annotations":{"io.kubernetes.cri.container-name":"vllm","io.kubernetes.cri.sandbox-name":"llama-0",
                      "io.kubernetes.cri.sandbox-namespace":"ai"}})");
}

TEST(ContainerSource, UnderCadvisorsNames) {
    FakeMachine machine;
    write_unified(machine);
    testing::RememberingSink sink;
    auto source = container_source(machine.options());
    ASSERT_TRUE(source->collect(from_millis(100'000), sink).has_value());
    const std::string engine =
        "id=\"/system.slice/docker-" + kA + ".scope\",image=\"vllm:1\",instance=\"box\",name=\"engine\"";
    const auto value = [&](const std::string& name) { return sink.newest(name + "{" + engine + "}"); };
    EXPECT_EQ(value("container_cpu_usage_seconds_total"), "2.5") << sink.dump();
    EXPECT_EQ(value("container_cpu_user_seconds_total"), "2");
    EXPECT_EQ(value("container_cpu_cfs_throttled_periods_total"), "4");
    EXPECT_EQ(value("container_cpu_cfs_throttled_seconds_total"), "0.25");
    EXPECT_EQ(value("container_spec_cpu_quota"), "50000");
    EXPECT_EQ(value("container_memory_usage_bytes"), "1e+06");
    EXPECT_EQ(value("container_memory_working_set_bytes"), "800000");
    EXPECT_EQ(value("container_memory_rss"), "600000");
    EXPECT_EQ(value("container_spec_memory_limit_bytes"), "0");
    EXPECT_EQ(value("container_memory_swap"), "absent");
    EXPECT_EQ(value("container_oom_events_total"), "2");
    EXPECT_EQ(value("container_pressure_cpu_waiting_seconds_total"), "1.5");
    EXPECT_EQ(value("container_pressure_cpu_stalled_seconds_total"), "0.5");
    EXPECT_EQ(value("container_pressure_io_waiting_seconds_total"), "absent");
    EXPECT_EQ(sink.newest("container_fs_writes_bytes_total{device=\"/dev/sda\"," + engine + "}"), "8192");
    EXPECT_EQ(sink.newest("container_memory_usage_bytes{container=\"vllm\",id=\"/kubepods.slice/"
                          "kubepods-pod6f5d6d2f_1c1e_4f4c_9d5c_0123456789ab.slice/cri-containerd-" +
                          kB + ".scope\",instance=\"box\",name=\"" + kB.substr(0, 12) +
                          "\",namespace=\"ai\",pod=\"llama-0\"}"),
              "77");
    EXPECT_EQ(sink.dump().find("nested"), std::string::npos);
}

TEST(ContainerSource, ContainersComeAndGo) {
    FakeMachine machine;
    write_unified(machine);
    testing::RememberingSink sink;
    auto source = container_source(machine.options());
    const std::string series = "container_memory_usage_bytes{id=\"/system.slice/docker-" + kA +
                               ".scope\",image=\"vllm:1\",instance=\"box\",name=\"engine\"}";
    const std::string fresh =
        "container_memory_usage_bytes{id=\"/docker/" + kC + "\",instance=\"box\",name=\"" + kC.substr(0, 12) + "\"}";
    ASSERT_TRUE(source->collect(from_millis(100'000), sink).has_value());
    EXPECT_EQ(sink.newest(series), "1e+06");
    std::filesystem::remove_all(machine.root() / "sys/fs/cgroup/system.slice");
    machine.write("sys/fs/cgroup/docker/" + kC + "/memory.current", "5\n");
    ASSERT_TRUE(source->collect(from_millis(101'000), sink).has_value());
    EXPECT_EQ(sink.newest(series), "stale");
    EXPECT_EQ(sink.newest(fresh), "absent");  // Not looked for in every round.
    ASSERT_TRUE(source->collect(from_millis(110'000), sink).has_value());
    EXPECT_EQ(sink.newest(fresh), "5");
    // A clock that is set back does not stop the search.
    std::filesystem::remove_all(machine.root() / "sys/fs/cgroup/docker");
    machine.write("sys/fs/cgroup/docker/" + kA + "/memory.current", "6\n");
    ASSERT_TRUE(source->collect(from_millis(50'000), sink).has_value());
    EXPECT_EQ(sink.newest(fresh), "stale");
    EXPECT_EQ(sink.newest("container_memory_usage_bytes{id=\"/docker/" + kA +
                          "\",image=\"vllm:1\",instance=\"box\",name=\"engine\"}"),
              "6");
}

TEST(ContainerSource, VersionOneHasTheSameNames) {
    FakeMachine machine;
    const std::string path = "/docker/" + kA + "/";
    machine.write("sys/fs/cgroup/cpuacct" + path + "cpuacct.usage", "2500000000\n");
    machine.write("sys/fs/cgroup/cpuacct" + path + "cpuacct.stat", "user 200\nsystem 50\n");
    machine.write("sys/fs/cgroup/cpu" + path + "cpu.stat", "nr_periods 10\nnr_throttled 4\nthrottled_time 250000000\n");
    machine.write("sys/fs/cgroup/cpu" + path + "cpu.cfs_quota_us", "-1\n");
    machine.write("sys/fs/cgroup/memory" + path + "memory.usage_in_bytes", "1000000\n");
    machine.write("sys/fs/cgroup/memory" + path + "memory.limit_in_bytes", "9223372036854771712\n");
    machine.write("sys/fs/cgroup/memory" + path + "memory.stat",
                  "cache 1\ntotal_rss 600000\ntotal_inactive_file 200000\n");
    machine.write("sys/fs/cgroup/memory" + path + "memory.oom_control", "oom_kill_disable 0\noom_kill 2\n");
    machine.write("sys/fs/cgroup/blkio" + path + "blkio.throttle.io_service_bytes_recursive",
                  "8:0 Read 4096\n8:0 Write 8192\n8:0 Total 12288\nTotal 12288\n");
    testing::RememberingSink sink;
    ASSERT_TRUE(container_source(machine.options())->collect(from_millis(100'000), sink).has_value());
    const std::string labels = "id=\"/docker/" + kA + "\",instance=\"box\",name=\"" + kA.substr(0, 12) + "\"}";
    EXPECT_EQ(sink.newest("container_cpu_usage_seconds_total{" + labels), "2.5") << sink.dump();
    EXPECT_EQ(sink.newest("container_cpu_user_seconds_total{" + labels), "2");
    EXPECT_EQ(sink.newest("container_cpu_cfs_throttled_seconds_total{" + labels), "0.25");
    EXPECT_EQ(sink.newest("container_spec_cpu_quota{" + labels), "absent");
    EXPECT_EQ(sink.newest("container_spec_memory_limit_bytes{" + labels), "0");
    EXPECT_EQ(sink.newest("container_memory_working_set_bytes{" + labels), "800000");
    EXPECT_EQ(sink.newest("container_oom_events_total{" + labels), "2");
    EXPECT_EQ(sink.newest("container_fs_reads_bytes_total{device=\"8:0\"," + labels), "4096");
}

}  // namespace
}  // namespace stoker::collect
