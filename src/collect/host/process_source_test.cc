#include "collect/host/process_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/host/host_fixture.h"
#include "collect/host/process_parsers.h"

namespace stoker::collect {
namespace {

using testing::FakeMachine;
using namespace std::string_literals;

TEST(ProcessGroup, EnginesByTheirCommandLines) {
    struct Case {
        std::string command;  // A blank ends an argument.
        std::string wanted;
    };
    const std::vector<Case> cases = {{"/usr/bin/python3 /usr/local/bin/vllm serve m", "vllm"},
                                     {"python3 -m vllm.entrypoints.openai.api_server --model m", "vllm"},
                                     {"python3.12 -u -m sglang.launch_server", "sglang"},
                                     {"/opt/llama.cpp/llama-server -m x.gguf", "llama.cpp"},
                                     {"/usr/local/bin/ollama serve", "ollama"},
                                     {"/opt/tritonserver/bin/tritonserver --model-repository=/m", "triton"},
                                     {"/usr/bin/python3 /usr/local/bin/trtllm-serve m", "tensorrt-llm"},
                                     {"text-generation-router --port 80", "tgi"},
                                     {"python -m lmdeploy serve api_server m", "lmdeploy"},
                                     {"/x/raylet --raylet_socket_name=y", "ray"},
                                     {"stoker serve", "stoker"},
                                     {"less vllm", ""},
                                     {"vim /usr/local/bin/vllm", ""},
                                     {"python3 -m http.server vllm", ""},
                                     {"python3 -m", ""},
                                     {"vllmish", ""},
                                     {"bash", ""},
                                     {"", ""}};
    for (const Case& one : cases) {
        std::string command = one.command;
        for (char& c : command) c = c == ' ' ? '\0' : c;
        EXPECT_EQ(process_group(command + '\0'), one.wanted) << one.command;
    }
    EXPECT_EQ(process_group("VLLM::EngineCore_DP0"), "vllm");  // Titles that processes give themselves have blanks.
    EXPECT_EQ(process_group("sglang::scheduler TP0\0\0\0"s), "sglang");
    EXPECT_EQ(process_group("ray::RayWorkerWrapper.execute_method"), "ray");
}

// /proc/PID/stat of a process with these numbers.
std::string stat_line(int pid, int user, int system, int start) {
    return std::to_string(pid) + " (a (b) c) S 1 1 1 0 -1 4194560 100 0 3 0 " + std::to_string(user) + " " +
           std::to_string(system) + " 0 0 20 0 4 0 " + std::to_string(start) + " 8192 10 18446744073709551615 0 0\n";
}

TEST(ProcessParsers, Files) {
    const auto stat = parse_process_stat(stat_line(7, 250, 50, 1000));
    ASSERT_TRUE(stat.has_value());
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->user_seconds, 2.5);
    EXPECT_EQ(stat->system_seconds, 0.5);
    EXPECT_EQ(stat->minor_faults, 100);
    EXPECT_EQ(stat->major_faults, 3);
    EXPECT_EQ(stat->threads, 4);
    EXPECT_EQ(stat->start_ticks, 1000u);
    EXPECT_EQ(stat->virtual_bytes, 8192);
    EXPECT_EQ(stat->resident_pages, 10);
    for (const char* broken : {"", "7", "7 (a", "7 (a) S 1 2 3", "7 (a) \n"}) {
        EXPECT_FALSE(parse_process_stat(broken).has_value()) << broken;
    }
    const auto status =
        parse_process_status("VmSwap:\t  12 kB\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t6\n");
    EXPECT_EQ(status.swapped_bytes, 12288);
    EXPECT_EQ(status.voluntary_switches, 5);
    EXPECT_EQ(status.involuntary_switches, 6);
    const auto io = parse_process_io("rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 1\n");
    EXPECT_EQ(io.read_bytes, 4096);
    EXPECT_EQ(io.write_bytes, 8192);
    EXPECT_EQ(parse_open_files_limit("Max open files            1024                 4096                 files\n"),
              1024);
    EXPECT_FALSE(parse_open_files_limit("Max open files            unlimited unlimited files\n").has_value());
}

void write_process(FakeMachine& machine, int pid, const std::string& command, int user, int start) {
    const std::string folder = "proc/" + std::to_string(pid) + "/";
    machine.write(folder + "cmdline", command + '\0');
    machine.write(folder + "stat", stat_line(pid, user, 0, start));
    machine.write(folder + "limits", "Max open files            10                 10                 files\n");
    machine.write(folder + "fd/0", "");
}

class Processes : public ::testing::Test {
protected:
    void round(int seconds) {
        if (!source_) source_ = process_source(machine_.options());
        ASSERT_TRUE(source_->collect(from_millis(seconds * 1000), sink_).has_value());
    }
    std::string value(const std::string& name, const std::string& group, const std::string& more = "") {
        return sink_.newest("namedprocess_namegroup_" + name + "{groupname=\"" + group + "\",instance=\"box\"" + more +
                            "}");
    }
    std::string user_seconds(const std::string& group) { return value("cpu_seconds_total", group, ",mode=\"user\""); }

    FakeMachine machine_;
    testing::RememberingSink sink_;
    std::shared_ptr<Source> source_;
};

TEST_F(Processes, AreSummedUpByEngine) {
    machine_.write("proc/stat", "btime 1000\n");
    write_process(machine_, 10, "vllm", 100, 500);
    write_process(machine_, 11, "VLLM::EngineCore", 300, 700);
    write_process(machine_, 12, "bash", 300, 100);
    round(100);
    EXPECT_EQ(value("num_procs", "vllm"), "2") << sink_.dump();
    EXPECT_EQ(value("num_threads", "vllm"), "8");
    EXPECT_EQ(user_seconds("vllm"), "4");
    EXPECT_EQ(value("oldest_start_time_seconds", "vllm"), "1005");
    EXPECT_EQ(value("memory_bytes", "vllm", ",memtype=\"resident\""),
              format_number(20.0 * static_cast<double>(::sysconf(_SC_PAGESIZE))));
    EXPECT_EQ(value("states", "vllm", ",state=\"Sleeping\""), "2");
    EXPECT_NE(value("open_filedesc", "vllm"), "absent");
    EXPECT_EQ(sink_.dump().find("bash"), std::string::npos);
}

TEST_F(Processes, CountersGoOnWhenOneEndsAndItsNumberIsGivenToAnother) {
    write_process(machine_, 10, "ollama", 100, 500);
    write_process(machine_, 11, "ollama", 200, 600);
    round(100);
    EXPECT_EQ(user_seconds("ollama"), "3");
    std::filesystem::remove_all(machine_.root() / "proc/11");
    write_process(machine_, 10, "ollama", 150, 500);
    round(101);
    EXPECT_EQ(user_seconds("ollama"), "3.5");
    EXPECT_EQ(value("num_procs", "ollama"), "1");
    std::filesystem::remove_all(machine_.root() / "proc/10");
    round(102);
    EXPECT_EQ(user_seconds("ollama"), "stale");
    write_process(machine_, 10, "ollama", 30, 900);  // Restarted under the same number.
    round(103);
    EXPECT_EQ(user_seconds("ollama"), "3.8");
}

TEST_F(Processes, ANumberThatIsAnotherProcessNowIsLookedAtAgain) {
    write_process(machine_, 10, "ollama", 100, 500);
    for (int second = 100; second < 105; ++second) round(second);
    write_process(machine_, 10, "ollama", 30, 900);
    round(105);
    EXPECT_EQ(user_seconds("ollama"), "stale");
    round(106);
    EXPECT_EQ(user_seconds("ollama"), "1.3");
}

TEST_F(Processes, OneThatBecomesAnEngineIsFound) {
    write_process(machine_, 10, "bash", 10, 500);
    round(100);
    EXPECT_EQ(value("num_procs", "llama.cpp"), "absent");
    write_process(machine_, 10, "llama-server", 20, 500);  // exec, at once.
    round(101);
    EXPECT_EQ(value("num_procs", "llama.cpp"), "1");
    write_process(machine_, 12, "bash", 10, 500);
    for (int second = 102; second < 106; ++second) round(second);
    write_process(machine_, 12, "llama-server", 10, 500);  // Much later.
    round(106);
    EXPECT_EQ(value("num_procs", "llama.cpp"), "1");
    round(140);
    EXPECT_EQ(value("num_procs", "llama.cpp"), "2");
}

TEST(ProcessSource, ThisTestIsNoEngine) {
    testing::RememberingSink sink;
    ASSERT_TRUE(process_source({})->collect(now(), sink).has_value());
    EXPECT_EQ(sink.dump().find("collect_test"), std::string::npos);
}

}  // namespace
}  // namespace stoker::collect
