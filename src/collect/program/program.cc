#include "collect/program/program.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/text.h"

namespace stoker::collect {
namespace {

constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t kComplaint = 2048;
constexpr Duration kKillLimit{1'000};          // How long a killed process may take to go.
constexpr std::uint64_t kFileSize = 16 << 20;  // Of a file that it writes.
constexpr std::uint64_t kOpenFiles = 256;
constexpr int kReport = 3;  // Where the child says what it could not do, before it becomes the program.

std::string reason(int error) {
    return std::generic_category().message(error);
}

class Fd {
public:
    explicit Fd(int fd = -1) : fd_(fd) {}
    ~Fd() { close(); }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    int get() const { return fd_; }
    void reset(int fd) {
        close();
        fd_ = fd;
    }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_;
};

struct Pipe {
    Fd read;
    Fd write;

    Result<Unit> open() {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) {
            return Error{Errc::ResourceExhausted, "no pipe for a program: " + reason(errno)};
        }
        read.reset(ends[0]);
        write.reset(ends[1]);
        return Unit{};
    }
};

// What the child could not do; the order of kSteps.
enum class Step : std::uint8_t { Descriptors, Directory, Limits, User, Privileges, Exec };
constexpr std::array<std::string_view, 6> kSteps = {
    "its files can't be set up",     "its directory can't be entered",
    "its limits can't be set",       "the rights of its user can't be taken on",
    "its privileges can't be fixed", "it can't be started"};

struct Failure {
    Step step;
    int error;
};

// All that the child needs, made before it is there: it may not allocate.
struct Plan {
    std::string path;
    std::vector<char*> arguments;
    std::vector<char*> environment;
    const char* directory = nullptr;
    bool other_user = false;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
    rlim_t cpu_seconds = 0;
    rlim_t memory = 0;
    int null = -1;
    int output = -1;
    int complaint = -1;
    int report = -1;
    pid_t parent = 0;
};

[[noreturn]] void fail(Step step) {
    const Failure failure{step, errno};
    (void)!write(kReport, &failure, sizeof(failure));
    _exit(127);
}

bool limit(decltype(RLIMIT_CORE) what, rlim_t most) {
    const struct rlimit both { most, most };
    return prlimit(0, what, &both, nullptr) == 0;
}

// In the child, which shares our memory until execve: system calls only, and those for the user raw, since glibc's
// would change every thread of ours.
[[noreturn]] void become(const Plan& plan) {
    setsid();
    // Upwards, so that none is overwritten before it is copied: ours are all above kReport, see Program::run().
    if (dup2(plan.null, STDIN_FILENO) < 0 || dup2(plan.output, STDOUT_FILENO) < 0 ||
        dup2(plan.complaint, STDERR_FILENO) < 0 || dup3(plan.report, kReport, O_CLOEXEC) < 0) {
        _exit(126);
    }
    if (syscall(SYS_close_range, kReport + 1, ~0U, 0) != 0) fail(Step::Descriptors);
    umask(077);
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &usual, nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_CPU, plan.cpu_seconds) || !limit(RLIMIT_FSIZE, kFileSize) ||
        !limit(RLIMIT_NOFILE, kOpenFiles) || (plan.memory > 0 && !limit(RLIMIT_DATA, plan.memory))) {
        fail(Step::Limits);
    }
    if (plan.other_user && (syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) != 0 ||
                            syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) != 0 ||
                            syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) != 0)) {
        fail(Step::User);
    }
    if (chdir(plan.directory) != 0) fail(Step::Directory);
    // Changing users clears the signal at our death, so it comes after.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        fail(Step::Privileges);
    }
    if (getppid() != plan.parent) _exit(126);  // We were gone before it could be told.
    execve(plan.path.c_str(), plan.arguments.data(), plan.environment.data());
    fail(Step::Exec);
}

// Alone in its function: after vfork, the frame must hold nothing that the child changes.
pid_t start(const Plan& plan) {
    const pid_t pid = vfork();
    if (pid == 0) become(plan);
    return pid;
}

Result<std::string> find(const std::string& name, const std::string& path) {
    std::string denied;
    const bool plain = name.find('/') == std::string::npos;
    const std::string_view folders = plain ? std::string_view(path) : "";
    for (const std::string_view folder : split(folders, ':')) {
        const std::string candidate = plain ? std::string(folder) + "/" + name : name;
        struct stat status {};
        if (stat(candidate.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
        if ((status.st_mode & 0111) != 0) return candidate;
        denied = candidate;
    }
    if (!denied.empty()) return Error{Errc::PermissionDenied, denied + " is not executable (chmod +x)"};
    return Error{Errc::NotFound, "no program " + name + (plain ? " in " + path : "")};
}

Result<Unit> take_user(const std::string& user, Plan& plan) {
    if (user.empty()) return Unit{};
    std::vector<char> buffer(16 * 1024);
    struct passwd entry {};
    struct passwd* found = nullptr;
    if (getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
        return Error{Errc::InvalidArgument, "there is no user " + user + " on this machine"};
    }
    if (found->pw_uid == geteuid()) return Unit{};
    if (geteuid() != 0) {
        return Error{Errc::PermissionDenied, "only root can run a program as another user (" + user + ")"};
    }
    int count = 64;
    plan.groups.resize(static_cast<std::size_t>(count));
    if (getgrouplist(user.c_str(), found->pw_gid, plan.groups.data(), &count) < 0) count = 0;
    plan.groups.resize(static_cast<std::size_t>(count));
    plan.other_user = true;
    plan.uid = found->pw_uid;
    plan.gid = found->pw_gid;
    return Unit{};
}

// Reads what is there, as much as a pipe holds; false at the end. Keeps `most` bytes, the last ones if `tail`.
bool take(int fd, std::string& text, std::size_t most, bool tail) {
    constexpr int kReads = 4;  // A pipe's 64 KiB; a writer that is faster than we are must not keep us here.
    std::array<char, 16 * 1024> buffer;
    for (int reads = 0; reads < kReads; ++reads) {
        const ssize_t got = read(fd, buffer.data(), buffer.size());
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) return false;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (tail && text.size() > most) text.erase(0, text.size() - most);
        if (!tail && text.size() > most) return true;  // One byte too many is enough to know.
    }
    return true;
}

bool readable(int fd, Duration wait) {
    struct pollfd one {
        fd, POLLIN, 0
    };
    return poll(&one, 1, static_cast<int>(wait.count())) > 0;
}

// Takes the exit status of a process that has ended, and ends what is left of its group before its number can be used
// again.
void reap(int pidfd, pid_t group, ProgramRun& run) {
    siginfo_t info{};
    if (waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOWAIT) == 0) {
        (info.si_code == CLD_EXITED ? run.code : run.signal) = info.si_status;
    }
    kill(-group, SIGKILL);
    waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED);
}

// Reads until it ends, its time is over, or it said too much.
ProgramEnd follow(const ProgramSpec& spec, int pidfd, Fd& output, Fd& complaint, ProgramRun& run) {
    const auto deadline = std::chrono::steady_clock::now() + spec.timeout;
    while (true) {
        const auto left = std::chrono::ceil<Duration>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return ProgramEnd::TimedOut;
        std::array<struct pollfd, 3> all = {
            {{pidfd, POLLIN, 0}, {output.get(), POLLIN, 0}, {complaint.get(), POLLIN, 0}}};
        (void)poll(all.data(), all.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
        if (all[1].revents != 0 && !take(output.get(), run.output, spec.max_output, false)) output.close();
        if (all[2].revents != 0 && !take(complaint.get(), run.complaint, kComplaint, true)) complaint.close();
        if (run.output.size() > spec.max_output) return ProgramEnd::TooLarge;
        if (all[0].revents == 0) continue;
        // What it wrote last may have come after the look at the pipes.
        if (output.get() >= 0) take(output.get(), run.output, spec.max_output, false);
        if (complaint.get() >= 0) take(complaint.get(), run.complaint, kComplaint, true);
        return run.output.size() > spec.max_output ? ProgramEnd::TooLarge : ProgramEnd::Exited;
    }
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

}  // namespace

std::string trouble_of(const ProgramRun& run, const ProgramSpec& spec) {
    std::string what;
    switch (run.end) {
        case ProgramEnd::TimedOut:
            what = "was killed after " + format_duration(spec.timeout) + ", its timeout";
            break;
        case ProgramEnd::TooLarge:
            what = "was killed: it wrote more than " + std::to_string(spec.max_output) + " bytes";
            break;
        case ProgramEnd::Killed:
            what = "was killed by signal " + std::to_string(run.signal);
            break;
        case ProgramEnd::Exited:
            if (run.code == 0) return "";
            what = "exited with " + std::to_string(run.code);
            break;
    }
    const std::string_view words = trim(run.complaint);
    const std::size_t line = words.rfind('\n');
    const std::string_view last = line == std::string_view::npos ? words : words.substr(line + 1);
    return last.empty() ? what : what + ": " + std::string(last.substr(0, 300));
}

Program::Program(ProgramSpec spec) : spec_(std::move(spec)) {}

Program::~Program() {
    if (leftover_ >= 0) ::close(leftover_);
}

Result<ProgramRun> Program::run() {
    if (spec_.command.empty()) return Error{Errc::InvalidArgument, "the command is empty"};
    if (leftover_ >= 0) {
        if (!readable(leftover_, Duration{0})) {
            return Error{Errc::Unavailable, "an earlier run of it was killed and hangs in the kernel still"};
        }
        siginfo_t info{};
        waitid(P_PIDFD, static_cast<id_t>(leftover_), &info, WEXITED);
        ::close(std::exchange(leftover_, -1));
    }
    Plan plan;
    std::map<std::string, std::string> variables = spec_.environment;
    variables.try_emplace("PATH", kPath);
    variables.try_emplace("HOME", "/");
    variables.try_emplace("LANG", "C.UTF-8");
    TRY(plan.path, find(spec_.command.front(), variables["PATH"]));
    TRY_UNIT(take_user(spec_.user, plan));
    std::vector<std::string> arguments = spec_.command;
    std::vector<std::string> environment;
    for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
    plan.arguments = pointers(arguments);
    plan.environment = pointers(environment);
    plan.directory = spec_.directory.c_str();
    // A second over the timeout, for the day that killing it by the clock fails.
    plan.cpu_seconds = static_cast<rlim_t>(std::chrono::ceil<std::chrono::seconds>(spec_.timeout).count() + 1);
    plan.memory = spec_.max_memory;
    plan.parent = getpid();

    Pipe output;
    Pipe complaint;
    Pipe report;
    TRY_UNIT(output.open());
    TRY_UNIT(complaint.open());
    TRY_UNIT(report.open());
    const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    // Copies above those that the child takes for itself, whatever numbers were free here.
    const auto above = [](int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, kReport + 1); };
    const Fd null_copy(above(null.get()));
    const Fd output_copy(above(output.write.get()));
    const Fd complaint_copy(above(complaint.write.get()));
    Fd report_copy(above(report.write.get()));
    plan.null = null_copy.get();
    plan.output = output_copy.get();
    plan.complaint = complaint_copy.get();
    plan.report = report_copy.get();
    if (plan.null < 0 || plan.output < 0 || plan.complaint < 0 || plan.report < 0) {
        return Error{Errc::ResourceExhausted, "no descriptor for a program: " + reason(errno)};
    }

    // A handler of ours must not run in the child while it shares our memory.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const auto began = std::chrono::steady_clock::now();
    const pid_t pid = start(plan);
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) return Error{Errc::ResourceExhausted, "can't start " + plan.path + ": " + reason(error)};
    const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (pidfd < 0) {
        const int failure = errno;
        kill(-pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        return Error{Errc::ResourceExhausted, "pidfd_open: " + reason(failure)};
    }
    Fd process(pidfd);
    report.write.close();
    report_copy.close();
    ProgramRun run;
    Failure failure{};
    if (read(report.read.get(), &failure, sizeof(failure)) == static_cast<ssize_t>(sizeof(failure))) {
        reap(pidfd, pid, run);
        const Errc code = failure.error == ENOEXEC  ? Errc::InvalidArgument
                          : failure.error == ENOENT ? Errc::NotFound
                                                    : Errc::PermissionDenied;
        const std::string hint = failure.error == ENOEXEC ? " (a script needs a #! line)" : "";
        return Error{code, plan.path + ": " + std::string(kSteps.at(static_cast<std::size_t>(failure.step))) + ": " +
                               reason(failure.error) + hint};
    }
    for (Pipe* pipe : {&output, &complaint}) {
        pipe->write.close();
        fcntl(pipe->read.get(), F_SETFL, O_NONBLOCK);
    }
    run.end = follow(spec_, pidfd, output.read, complaint.read, run);
    if (run.end != ProgramEnd::Exited) {
        kill(-pid, SIGKILL);
        if (!readable(pidfd, kKillLimit)) {
            leftover_ = process.release();
            run.took = std::chrono::steady_clock::now() - began;
            return run;
        }
    }
    reap(pidfd, pid, run);
    if (run.end == ProgramEnd::Exited && run.signal != 0) run.end = ProgramEnd::Killed;
    run.took = std::chrono::steady_clock::now() - began;
    return run;
}

}  // namespace stoker::collect
