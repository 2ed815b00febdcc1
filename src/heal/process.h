// Processes as the supervisor needs them: started in a session of their own, watched by file descriptor, recognised
// again after a restart of Stoker, and never confused with another process that got the same number.
//
// Linux only (pidfd, /proc). Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stoker::heal {

// An open file descriptor, closed with its owner.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept;
    ~Fd();

    int get() const { return fd_; }
    bool open() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

// A process by number and start time: numbers are reused, the pair is not, within one boot.
struct ProcessIdentity {
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;  // Field 22 of /proc/PID/stat.
    friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

struct ProcessStat {
    char state = '?';  // R, S, D, T, Z, ...
    std::uint64_t start_ticks = 0;
    pid_t session = 0;
};
// Nothing if there is no such process.
std::optional<ProcessStat> read_stat(pid_t pid);

// Names this boot of the machine; empty where /proc does not say.
std::string boot_id();

// The program's path: `name` itself if it has a slash, else searched in PATH.
// Errors: NotFound; PermissionDenied if it is there and not executable.
Result<std::string> find_program(const std::string& name);

struct SpawnSpec {
    std::vector<std::string> command;
    std::map<std::string, std::string> environment;  // Added to ours.
    std::string directory;                           // Working directory; empty: ours.
    int output = -1;                                 // Where stdout and stderr go.
};

struct Spawned {
    ProcessIdentity identity;
    Fd pidfd;  // Readable when it has ended.
};

// Starts it as leader of a new session and process group, with default signals and nothing else of ours open.
// Errors: InvalidArgument (empty command), NotFound, PermissionDenied, Internal; each says what of the command is
// wrong.
Result<Spawned> spawn(const SpawnSpec& spec);

// Opens a process that somebody started before, if it is still the same. Errors: NotFound.
Result<Fd> open_process(const ProcessIdentity& identity);

// How a process ended; not known of one that is no child of ours.
struct ExitStatus {
    bool known = false;
    int code = 0;
    int signal = 0;  // 0: it exited by itself.
};

// The exit status of a process whose pidfd is readable, left in place for reap().
ExitStatus peek(const Spawned& process);

// Takes the exit status of a process whose pidfd is readable, and ends what is left of its group before its number can
// be used again.
ExitStatus reap(const Spawned& process);

// Whether the pidfd became readable within `limit`.
bool wait_for_end(const Fd& pidfd, Duration limit);

struct CommandResult {
    ExitStatus status;
    std::string output;  // stdout and stderr, the first 16 KiB.
};

// Runs a short command to its end. Errors: as spawn(); DeadlineExceeded, after which it has been killed.
Result<CommandResult> run_command(const std::vector<std::string>& command, Duration limit);

// `systemctl restart UNIT`. Errors: as run_command(); Internal with systemctl's own words if it failed.
Result<Unit> restart_unit(const std::string& unit, Duration limit);

}  // namespace stoker::heal
