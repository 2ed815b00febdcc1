#include "heal/supervisor.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/file.h"

namespace stoker::heal {
namespace {

using namespace std::chrono_literals;

bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline) {
        if (condition()) return true;
        std::this_thread::sleep_for(2ms);
    }
    return false;
}

class Exits : public ProcessObserver {
public:
    void on_process_exit(const ProcessExit& exit) override {
        MutexLock lock(mutex_);
        exits_.push_back(exit);
    }
    std::vector<ProcessExit> seen() {
        MutexLock lock(mutex_);
        return exits_;
    }

private:
    Mutex mutex_;
    std::vector<ProcessExit> exits_;
};

class SupervisorTest : public ::testing::Test {
protected:
    SupervisorTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "supervisor-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        options.directory = folder + "/engines";
        options.on_exit = OnExit::Stop;
    }
    ~SupervisorTest() override {
        supervisor.reset();
        std::filesystem::remove_all(folder);
    }
    void create() {
        supervisor.reset();
        auto made = Supervisor::create(options, &exits, registry);
        ASSERT_TRUE(made) << made.error().message;
        supervisor = *std::move(made);
    }
    ProcessSpec shell(const std::string& script) { return {"chat/a:1", {"sh", "-c", script}, {}, "", 300ms}; }
    ProcessStatus status() { return *supervisor->status("chat/a:1"); }
    std::string log() { return read_file(status().log).value_or(""); }
    bool logged(const std::string& text) {
        return eventually([&] { return log().find(text) != std::string::npos; });
    }
    static bool alive(std::int64_t pid) {
        const auto stat = read_stat(static_cast<pid_t>(pid));
        return stat && stat->state != 'Z';
    }

    std::string folder;
    SupervisorOptions options;
    metrics::Registry registry;
    Exits exits;
    std::unique_ptr<Supervisor> supervisor;
};

TEST_F(SupervisorTest, StartsWithEnvironmentFolderAndLog) {
    create();
    ProcessSpec spec = shell("echo \"$GREETING from $(pwd) on $STOKER_REPLICA\" >&2; exec sleep 100");
    spec.environment["GREETING"] = "hello";
    spec.directory = "/";
    ASSERT_TRUE(supervisor->ensure_running(spec));
    EXPECT_TRUE(logged("hello from / on chat/a:1\n"));
    EXPECT_EQ(status().state, ProcessState::Running);
    EXPECT_TRUE(alive(status().pid));
    EXPECT_NE(status().log.find("/engines/chat%2Fa%3A1.log"), std::string::npos);
}

TEST_F(SupervisorTest, SaysWhyACommandCannotBeStarted) {
    create();
    std::ofstream(folder + "/plain") << "text";
    std::ofstream(folder + "/garbage") << "\x7f\x01\x02 no program";
    ::chmod((folder + "/garbage").c_str(), 0755);
    struct Row {
        std::vector<std::string> command;
        std::string directory;
        Errc code;
        const char* text;
    } rows[] = {
        {{"no-such-engine"}, "", Errc::NotFound, "no program `no-such-engine` in PATH"},
        {{folder + "/none"}, "", Errc::NotFound, "no program"},
        {{folder + "/plain"}, "", Errc::PermissionDenied, "is not executable"},
        {{folder + "/garbage"}, "", Errc::InvalidArgument, "is not a program"},
        {{"sh"}, folder + "/none", Errc::NotFound, "none"},
        {{}, "", Errc::InvalidArgument, "empty"},
    };
    for (const Row& row : rows) {
        const auto started = supervisor->ensure_running({"x", row.command, {}, row.directory, 1s});
        ASSERT_FALSE(started) << row.text;
        EXPECT_EQ(started.error().code, row.code) << started.error().message;
        EXPECT_NE(started.error().message.find(row.text), std::string::npos) << started.error().message;
        EXPECT_EQ(supervisor->status("x")->state, ProcessState::Failed);
    }
    // Once the program is there, a restart is all it takes.
    ASSERT_FALSE(supervisor->ensure_running({"x", {"sh"}, {}, folder + "/none", 1s}));
    ASSERT_TRUE(supervisor->ensure_running({"x", {"sleep", "100"}, {}, "", 1s}));
    EXPECT_EQ(supervisor->status("x")->state, ProcessState::Running);
}

TEST_F(SupervisorTest, NoticesDeathAtOnceAndSaysHow) {
    create();
    ASSERT_TRUE(supervisor->ensure_running(shell("echo last words; exec sleep 100")));
    ASSERT_TRUE(logged("\nlast words\n"));
    const auto began = std::chrono::steady_clock::now();
    ::kill(static_cast<pid_t>(status().pid), SIGKILL);
    ASSERT_TRUE(eventually([&] { return !exits.seen().empty(); }));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
    const ProcessExit exit = exits.seen()[0];
    EXPECT_TRUE(exit.status.known);
    EXPECT_EQ(exit.status.signal, SIGKILL);
    EXPECT_NE(exit.text.find("by signal 9 (SIGKILL)"), std::string::npos);
    const auto facts = supervisor->process_of("chat/a:1");
    EXPECT_FALSE(facts->running);
    EXPECT_EQ(facts->exit_signal, SIGKILL);
    EXPECT_EQ(facts->last_output, "last words");
}

TEST_F(SupervisorTest, ExitCodesAreKept) {
    create();
    ASSERT_TRUE(supervisor->ensure_running(shell("exit 7")));
    ASSERT_TRUE(eventually([&] { return !exits.seen().empty(); }));
    EXPECT_EQ(status().exit.code, 7);
    EXPECT_EQ(status().exit.signal, 0);
}

TEST_F(SupervisorTest, RestartsWhatDied) {
    create();
    ASSERT_TRUE(supervisor->ensure_running(shell("exit 1")));
    ASSERT_TRUE(eventually([&] { return status().state == ProcessState::Exited; }));
    const auto restarted = supervisor->restart("chat/a:1", 5s);
    ASSERT_TRUE(restarted) << restarted.error().message;
    EXPECT_EQ(status().restarts, 1);
}

TEST_F(SupervisorTest, RestartEndsEverythingTheCommandStarted) {
    create();
    ASSERT_TRUE(supervisor->ensure_running(shell("sleep 100 & echo child $!; wait")));
    ASSERT_TRUE(logged("\nchild "));
    const std::string text = log();
    const std::int64_t child = std::stoll(text.substr(text.find("\nchild ") + 7));
    const std::int64_t before = status().pid;
    ASSERT_TRUE(alive(child));
    ASSERT_TRUE(supervisor->restart("chat/a:1", 5s));
    EXPECT_FALSE(alive(before));
    EXPECT_TRUE(eventually([&] { return !alive(child); }));
    EXPECT_NE(status().pid, before);
    EXPECT_TRUE(exits.seen().empty());  // It was asked to end.
}

TEST_F(SupervisorTest, WorksOnAStoppedProcessAndOnOneThatIgnoresSigterm) {
    create();
    ASSERT_TRUE(supervisor->ensure_running(shell("trap '' TERM; echo ready; while :; do sleep 0.05; done")));
    ASSERT_TRUE(logged("\nready\n"));
    const std::int64_t before = status().pid;
    ::kill(static_cast<pid_t>(before), SIGSTOP);
    EXPECT_TRUE(eventually([&] { return supervisor->process_of("chat/a:1")->stopped; }));
    const auto restarted = supervisor->restart("chat/a:1", 5s);
    ASSERT_TRUE(restarted) << restarted.error().message;
    EXPECT_FALSE(alive(before));
    EXPECT_TRUE(alive(status().pid));
}

TEST_F(SupervisorTest, AnotherStokerAdoptsWhatRuns) {
    options.on_exit = OnExit::Leave;
    create();
    ASSERT_TRUE(supervisor->ensure_running(shell("exec sleep 100")));
    const std::int64_t pid = status().pid;
    supervisor.reset();
    EXPECT_TRUE(alive(pid));

    create();
    ASSERT_TRUE(supervisor->ensure_running(shell("exec sleep 100")));
    EXPECT_EQ(status().pid, pid);
    EXPECT_TRUE(status().adopted);
    ASSERT_TRUE(supervisor->restart("chat/a:1", 5s));
    EXPECT_NE(status().pid, pid);
    EXPECT_FALSE(status().adopted);
    ASSERT_TRUE(supervisor->stop("chat/a:1", 5s));
}

TEST_F(SupervisorTest, AdoptsWithoutItsFileToo) {
    options.on_exit = OnExit::Leave;
    create();
    ASSERT_TRUE(supervisor->ensure_running(shell("echo up; exec sleep 100")));
    ASSERT_TRUE(logged("\nup\n"));
    const std::int64_t pid = status().pid;
    supervisor.reset();
    for (const auto& entry : std::filesystem::directory_iterator(options.directory)) {
        if (entry.path().extension() == ".json") std::filesystem::remove(entry.path());
    }
    options.on_exit = OnExit::Stop;
    create();
    ASSERT_TRUE(supervisor->ensure_running(shell("exec sleep 100")));
    EXPECT_EQ(status().pid, pid);
}

TEST_F(SupervisorTest, DoesNotAdoptAnotherProcessOfTheSameNumber) {
    const auto stat = read_stat(getpid());
    ProcessFiles files(options.directory, "chat/a:1");
    ASSERT_TRUE(ensure_directory(options.directory));
    ASSERT_TRUE(files.write_identity({getpid(), stat->start_ticks + 1}, {"sleep"}));
    create();
    ASSERT_TRUE(supervisor->ensure_running(shell("exec sleep 100")));
    EXPECT_NE(status().pid, getpid());
    EXPECT_FALSE(status().adopted);
}

TEST_F(SupervisorTest, ShutdownEndsEnginesIfTold) {
    create();
    ASSERT_TRUE(supervisor->ensure_running(shell("trap '' TERM; echo ready; while :; do sleep 0.05; done")));
    ASSERT_TRUE(logged("\nready\n"));
    const std::int64_t pid = status().pid;
    supervisor->shutdown(1s);
    EXPECT_FALSE(alive(pid));
    EXPECT_EQ(supervisor->restart("chat/a:1", 1s).error().code, Errc::Cancelled);
}

TEST_F(SupervisorTest, CancelInterruptsARestart) {
    create();
    ProcessSpec slow = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
    slow.grace = 60s;
    ASSERT_TRUE(supervisor->ensure_running(slow));
    ASSERT_TRUE(logged("\nready\n"));
    std::thread other([this] {
        eventually([&] { return status().state == ProcessState::Stopping; });
        EXPECT_EQ(supervisor->restart("chat/a:1", 1s).error().code, Errc::Conflict);
        supervisor->cancel();
    });
    EXPECT_EQ(supervisor->restart("chat/a:1", 60s).error().code, Errc::Cancelled);
    other.join();
    supervisor->shutdown(1s);
}

TEST_F(SupervisorTest, WhatIsNotSupervisedIsNotFound) {
    create();
    EXPECT_EQ(supervisor->restart("nobody", 1s).error().code, Errc::NotFound);
    EXPECT_FALSE(supervisor->process_of("nobody"));
}

TEST_F(SupervisorTest, LogsAreRotatedBySize) {
    ASSERT_TRUE(ensure_directory(folder));
    ProcessFiles files(folder, "e");
    for (int i = 0; i < 5; ++i) {
        std::ofstream(files.log_path(), std::ios::app) << std::string(200, static_cast<char>('a' + i)) << "\n";
        files.rotate(100, 2);
    }
    EXPECT_EQ(read_file(files.log_path()).value_or("?"), "");
    EXPECT_EQ(read_file(files.log_path() + ".1").value_or("?")[0], 'e');
    EXPECT_EQ(read_file(files.log_path() + ".2").value_or("?")[0], 'd');
    EXPECT_FALSE(std::filesystem::exists(files.log_path() + ".3"));
}

TEST(RunCommand, EndsOrIsKilled) {
    const auto good = run_command({"sh", "-c", "echo out; echo err >&2; exit 3"}, 10s);
    ASSERT_TRUE(good);
    EXPECT_EQ(good->status.code, 3);
    EXPECT_EQ(good->output, "out\nerr\n");
    const auto late = run_command({"sh", "-c", "sleep 100 & wait"}, 100ms);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::DeadlineExceeded);
}

}  // namespace
}  // namespace stoker::heal
