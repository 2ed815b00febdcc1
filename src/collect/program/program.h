// A program of the operator's, run to its end in a sandbox, with its output read within limits.
//
// It runs in a session and process group of its own, as another user if one is named, with no way to gain privileges
// (PR_SET_NO_NEW_PRIVS), limits on memory, CPU time, files and core dumps, an environment that holds nothing of ours,
// and /dev/null as its input. At its deadline, or when it says too much, the whole group is killed; what is left of
// the group ends with the program in any case. The child is made by vfork: a process that holds gigabytes is never
// copied.
//
// Linux only. Not thread-safe: one run at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "collect/sample_sink.h"

namespace stoker::collect {

struct ProgramSpec {
    std::vector<std::string> command;  // The program, found in PATH unless it has a slash, and its arguments.
    std::string user;                  // Whose rights it gets; empty: ours.
    std::map<std::string, std::string> environment;  // Beside PATH, HOME and LANG.
    std::string directory = "/";
    Duration timeout{10'000};
    std::size_t max_output = std::size_t{4} << 20;      // Bytes of standard output.
    std::uint64_t max_memory = std::uint64_t{1} << 28;  // Bytes of data, heap and stack; 0: no limit.
};

enum class ProgramEnd : std::uint8_t { Exited, Killed, TimedOut, TooLarge };

struct ProgramRun {
    ProgramEnd end = ProgramEnd::Exited;
    int code = 0;           // If it exited.
    int signal = 0;         // If somebody else killed it.
    std::string output;     // Standard output.
    std::string complaint;  // The end of its standard error, at most 2 KiB.
    ElapsedTime took{0};
};

// "exited with 3", "was killed after 10s: its timeout". Empty: it exited with 0.
std::string trouble_of(const ProgramRun& run, const ProgramSpec& spec);

class Program {
public:
    explicit Program(ProgramSpec spec);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    // Blocks until it ended, at most a second longer than its timeout. Errors: InvalidArgument, NotFound,
    // PermissionDenied (what can't be started, and why); Unavailable (a run before this one can't be killed: its
    // process hangs in the kernel).
    Result<ProgramRun> run();

    const ProgramSpec& spec() const { return spec_; }

private:
    const ProgramSpec spec_;
    int leftover_ = -1;  // The pidfd of a run that was killed and has not ended yet.
};

}  // namespace stoker::collect
