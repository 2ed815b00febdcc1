#include "collect/program/program.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "collect/program/program_source.h"
#include "collect/program/textfile_source.h"
#include "collect/testing.h"

namespace stoker::collect {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

ProgramSpec shell(const std::string& script) {
    ProgramSpec spec;
    spec.command = {"sh", "-c", script};
    return spec;
}

ProgramRun run(const ProgramSpec& spec) {
    auto done = Program(spec).run();
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
    return done ? *done : ProgramRun{};
}

TEST(Program, SaysWhatItWrote) {
    const auto done = run(shell("echo out; echo err >&2"));
    EXPECT_EQ(done.output, "out\n");
    EXPECT_EQ(done.complaint, "err\n");
    EXPECT_EQ(trouble_of(done, {}), "");
}

TEST(Program, ItsEndIsTold) {
    EXPECT_EQ(trouble_of(run(shell("echo first >&2; echo the reason >&2; exit 3")), {}), "exited with 3: the reason");
    EXPECT_EQ(trouble_of(run(shell("kill -9 $$")), {}), "was killed by signal 9");
}

TEST(Program, ItsTimeoutEndsItsWholeGroup) {
    const fs::path left = fs::path(::testing::TempDir()) / "program_group";
    fs::remove(left);
    ProgramSpec spec = shell("sleep 60 & echo $! > " + left.string() + "; wait");
    spec.timeout = 500ms;
    const auto done = run(spec);
    EXPECT_EQ(trouble_of(done, spec), "was killed after 500ms, its timeout");
    EXPECT_LT(done.took, 20s);
    const auto pid = parse_integer(trim(read_file(left).value_or("")));
    ASSERT_TRUE(pid);
    // Killed, and soon reaped by whoever adopts it.
    for (int i = 0; i < 1000 && kill(static_cast<pid_t>(*pid), 0) == 0; ++i) {
        const auto stat = read_file("/proc/" + std::to_string(*pid) + "/stat");
        if (!stat || stat->find(") Z ") != std::string::npos) return;
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_NE(kill(static_cast<pid_t>(*pid), 0), 0);
}

TEST(Program, WhatItLeavesBehindDelaysNobody) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(run(shell("sleep 60 & echo done")).output, "done\n");
    EXPECT_LT(std::chrono::steady_clock::now() - began, 8s);
}

TEST(Program, OutputIsBounded) {
    ProgramSpec spec = shell("while :; do echo 0123456789012345678901234567890123456789; done");
    spec.max_output = 10'000;
    EXPECT_EQ(trouble_of(run(spec), spec), "was killed: it wrote more than 10000 bytes");
    ProgramSpec noisy = shell("while :; do echo 0123456789012345678901234567890123456789 >&2; done");
    noisy.timeout = 500ms;
    const auto done = run(noisy);
    EXPECT_EQ(done.end, ProgramEnd::TimedOut);
    EXPECT_LE(done.complaint.size(), 2048U);
}

TEST(Program, HasNothingOfOurs) {
    setenv("STOKER_TEST_SECRET", "x", 1);
    ProgramSpec spec = shell("env; pwd; ulimit -c; cat; ls /proc/self/fd | wc -l");
    spec.environment = {{"GREETING", "hello"}};
    const std::string seen = run(spec).output;
    EXPECT_EQ(seen.find("STOKER_TEST_SECRET"), std::string::npos) << seen;
    EXPECT_NE(seen.find("GREETING=hello\n"), std::string::npos) << seen;
    EXPECT_NE(seen.find("HOME=/\n"), std::string::npos) << seen;
    // The folder, no core files, an empty input, and 0 to 2 with what ls opens itself.
    EXPECT_NE(seen.find("\n/\n0\n4\n"), std::string::npos) << seen;
}

TEST(Program, GainsNoPrivileges) {
    EXPECT_NE(run(shell("grep NoNewPrivs /proc/self/status")).output.find("1"), std::string::npos);
}

TEST(Program, RunsAsAnotherUserIfWeMay) {
    ProgramSpec spec = shell("id -un; id -G | wc -w");
    spec.user = "nobody";
    if (geteuid() == 0) {
        EXPECT_EQ(run(spec).output, "nobody\n1\n");
    } else {
        EXPECT_EQ(Program(spec).run().error().code, Errc::PermissionDenied);
    }
    spec.user = "no-such-user";
    EXPECT_EQ(Program(spec).run().error().message, "there is no user no-such-user on this machine");
}

TEST(Program, WhatCannotStartSaysWhy) {
    const auto error_of = [](std::vector<std::string> command) {
        ProgramSpec spec;
        spec.command = std::move(command);
        return Program(spec).run().error().message;
    };
    EXPECT_EQ(error_of({}), "the command is empty");
    EXPECT_TRUE(error_of({"no-such-program"}).starts_with("no program no-such-program in /usr/local/sbin:"));
    const fs::path text = fs::path(::testing::TempDir()) / "no_program";
    std::ofstream(text) << "text\n";
    EXPECT_EQ(error_of({text.string()}), text.string() + " is not executable (chmod +x)");
    const fs::path script = fs::path(::testing::TempDir()) / "no_interpreter";
    std::ofstream(script) << "echo 1\n";
    fs::permissions(script, fs::perms::owner_all);
    EXPECT_EQ(error_of({script.string()}),
              script.string() + ": it can't be started: Exec format error (a script needs a #! line)");
    ProgramSpec spec = shell("true");
    spec.directory = "/no/such/folder";
    EXPECT_EQ(Program(spec).run().error().message,
              "/usr/bin/sh: its directory can't be entered: No such file or directory");
}

TEST(ProgramSource, ItsSeriesComeAndEnd) {
    testing::RememberingSink sink;
    const fs::path page = fs::path(::testing::TempDir()) / "program_page";
    std::ofstream(page) << "# TYPE raid_disks gauge\nraid_disks{array=\"md0\",program=\"mdadm\"} 4\nraid_spare 1\n";
    ProgramSource source({"raid", "host", shell("cat " + page.string()), {}});
    EXPECT_EQ(source.name(), "program/raid");
    ASSERT_TRUE(source.collect(from_millis(1000), sink));
    EXPECT_EQ(sink.newest(R"(raid_disks{array="md0",exported_program="mdadm",instance="host",program="raid"})"), "4");
    EXPECT_EQ(sink.newest(R"(up{instance="host",program="raid"})"), "1");
    std::ofstream(page) << "raid_spare 2\n";
    ASSERT_TRUE(source.collect(from_millis(2000), sink));
    EXPECT_EQ(sink.newest(R"(raid_disks{array="md0",exported_program="mdadm",instance="host",program="raid"})"),
              "stale");
    EXPECT_EQ(sink.newest(R"(raid_spare{instance="host",program="raid"})"), "2");
    std::ofstream(page) << "raid_spare two\n";
    const auto bad = source.collect(from_millis(3000), sink);
    ASSERT_FALSE(bad);
    EXPECT_NE(bad.error().message.find("output of sh: line 1"), std::string::npos) << bad.error().message;
    EXPECT_EQ(sink.newest(R"(raid_spare{instance="host",program="raid"})"), "stale");
    EXPECT_EQ(sink.newest(R"(up{instance="host",program="raid"})"), "0");
    EXPECT_EQ(sink.newest(R"(stoker_program_runs_total{instance="host",program="raid",result="ok"})"), "2");
    EXPECT_EQ(sink.newest(R"(stoker_program_runs_total{instance="host",program="raid",result="bad_output"})"), "1");
}

TEST(ExposedPages, APageGoesInWholeOrNotAtAll) {
    testing::RememberingSink sink;
    ExposedPages pages({{"instance", "i"}}, {.max_samples = 4, .labels = {}});
    pages.begin(from_millis(1000));
    EXPECT_EQ(*pages.add("a 1\nb 2\n", PageTimes::Taken), 2U);
    EXPECT_EQ(pages.add("c 1\na 2\n", PageTimes::Taken).error().message, R"(a{instance="i"} is there twice)");
    EXPECT_EQ(pages.add("c 1\nc 2\n", PageTimes::Taken).error().message, R"(c{instance="i"} is there twice)");
    EXPECT_EQ(pages.add("c 1 1700000000000\n", PageTimes::Refused).error().code, Errc::InvalidArgument);
    EXPECT_EQ(pages.add("c 1\nd 2\ne 3\n", PageTimes::Taken).error().code, Errc::ResourceExhausted);
    EXPECT_EQ(*pages.add("c 1\nd 2\n", PageTimes::Taken), 2U);
    pages.finish(sink);
    EXPECT_EQ(sink.dump(), "a{instance=\"i\"} 1\nb{instance=\"i\"} 2\nc{instance=\"i\"} 1\nd{instance=\"i\"} 2\n");
}

TEST(TextfileSource, ReadsAsNodeExporterDoes) {
    testing::RememberingSink sink;
    const fs::path folder = fs::path(::testing::TempDir()) / ("textfiles" + std::to_string(getpid()));
    fs::remove_all(folder);
    fs::create_directories(folder);
    std::ofstream(folder / "a.prom") << "# HELP backup_done When.\nbackup_done 5\n";
    std::ofstream(folder / "b.prom.tmp") << "nothing_to_see 5\n";
    TextfileSource source({{folder.string()}, "host", {}, 3, 1000});
    EXPECT_TRUE(source.collect(from_millis(1000), sink));
    const std::string mtime = "node_textfile_mtime_seconds{file=\"" + folder.string() + "/a.prom\",instance=\"host\"}";
    const std::string error = "node_textfile_scrape_error{instance=\"host\"}";
    EXPECT_EQ(sink.newest("backup_done{instance=\"host\"}"), "5");
    EXPECT_EQ(sink.newest("nothing_to_see{instance=\"host\"}"), "absent");
    EXPECT_GT(parse_number(sink.newest(mtime)).value_or(0), 1e9);
    EXPECT_EQ(sink.newest(error), "0");

    // One bad file spoils itself alone.
    std::ofstream(folder / "b.prom") << "timed 1 1700000000000\n";
    std::ofstream(folder / "c.prom") << "good 1\n";
    const auto read = source.collect(from_millis(2000), sink);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message.find("b.prom: timed has a time of its own"), std::string::npos);
    EXPECT_EQ(sink.newest("good{instance=\"host\"}"), "1");
    EXPECT_EQ(sink.newest("timed{instance=\"host\"}"), "absent");
    EXPECT_EQ(sink.newest("backup_done{instance=\"host\"}"), "5");
    EXPECT_EQ(sink.newest(error), "1");

    fs::remove(folder / "a.prom");
    fs::remove(folder / "b.prom");
    EXPECT_TRUE(source.collect(from_millis(3000), sink));
    EXPECT_EQ(sink.newest("backup_done{instance=\"host\"}"), "stale");
    EXPECT_EQ(sink.newest(mtime), "stale");
    EXPECT_EQ(sink.newest(error), "0");

    // A pipe that nobody writes to, a file that is too long, a folder that is gone.
    ASSERT_EQ(mkfifo((folder / "pipe.prom").c_str(), 0600), 0);
    EXPECT_NE(source.collect(from_millis(4000), sink).error().message.find("is no regular file"), std::string::npos);
    fs::remove(folder / "pipe.prom");
    std::ofstream(folder / "long.prom") << std::string(1001, '\n');
    EXPECT_FALSE(source.collect(from_millis(5000), sink));
    fs::remove_all(folder);
    EXPECT_FALSE(source.collect(from_millis(6000), sink));
    EXPECT_EQ(sink.newest(error), "1");
}

}  // namespace
}  // namespace stoker::collect
