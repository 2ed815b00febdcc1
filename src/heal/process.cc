#include "heal/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <system_error>

#include "base/file.h"
#include "base/text.h"

extern char** environ;

namespace stoker::heal {
namespace {

constexpr std::size_t kOutputLimit = 16 * 1024;

// glibc 2.36 declares pidfd_open for C only.
int open_pidfd(pid_t pid) {
    return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

std::string reason(int error) {
    return std::generic_category().message(error);
}

Error spawn_error(int error, const std::string& what) {
    const Errc code = error == ENOENT   ? Errc::NotFound
                      : error == EACCES ? Errc::PermissionDenied
                      : error == EAGAIN ? Errc::ResourceExhausted
                                        : Errc::Internal;
    return {code, "can't start " + what + ": " + reason(error)};
}

// posix_spawn's two settings objects, destroyed with their owner.
struct SpawnSettings {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};

    SpawnSettings() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
    }
    ~SpawnSettings() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;
};

void configure(SpawnSettings& settings, const SpawnSpec& spec) {
    posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (spec.output >= 0) {
        posix_spawn_file_actions_adddup2(&settings.actions, spec.output, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&settings.actions, spec.output, STDERR_FILENO);
    }
    posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);
    if (!spec.directory.empty()) posix_spawn_file_actions_addchdir_np(&settings.actions, spec.directory.c_str());
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&settings.attributes, &none);
    posix_spawnattr_setsigdefault(&settings.attributes, &all);
    // A session of its own: a terminal's Ctrl-C, and whatever ends our own group, does not reach it.
    posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& extra) {
    std::vector<std::string> merged;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string text(*entry);
        if (!extra.contains(text.substr(0, text.find('=')))) merged.push_back(text);
    }
    for (const auto& [name, value] : extra) merged.push_back(name + "=" + value);
    return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

bool is_program(const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

Fd::~Fd() {
    if (fd_ >= 0) ::close(fd_);
}

std::optional<ProcessStat> read_stat(pid_t pid) {
    const auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
    if (!text) return std::nullopt;
    // The name in parentheses may hold anything, parentheses too: fields are counted from the last one.
    const std::size_t close = text->rfind(')');
    if (close == std::string::npos || close + 2 >= text->size()) return std::nullopt;
    const std::string rest = text->substr(close + 2);
    const auto fields = split(rest, ' ');
    constexpr std::size_t kState = 0, kSession = 3, kStart = 19;  // Fields 3, 6 and 22, counted from the state.
    if (fields.size() <= kStart || fields[kState].empty()) return std::nullopt;
    const auto start = parse_integer(fields[kStart]);
    const auto session = parse_integer(fields[kSession]);
    if (!start || !session) return std::nullopt;
    return ProcessStat{fields[kState][0], static_cast<std::uint64_t>(*start), static_cast<pid_t>(*session)};
}

std::string boot_id() {
    const auto text = read_file("/proc/sys/kernel/random/boot_id");
    return text ? std::string(trim(*text)) : "";
}

Result<std::string> find_program(const std::string& name) {
    std::vector<std::string> candidates;
    if (name.find('/') != std::string::npos) {
        candidates.push_back(name);
    } else {
        const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it.
        const std::string folders = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path;
        for (const std::string_view folder : split(folders, ':')) {
            candidates.push_back((folder.empty() ? "." : std::string(folder)) + "/" + name);
        }
    }
    std::string not_executable;
    for (const std::string& candidate : candidates) {
        if (!is_program(candidate)) continue;
        if (access(candidate.c_str(), X_OK) == 0) return candidate;
        not_executable = candidate;
    }
    if (!not_executable.empty()) return Error{Errc::PermissionDenied, not_executable + " is not executable"};
    return Error{Errc::NotFound, "no program `" + name + "`" + (candidates.size() > 1 ? " in PATH" : "")};
}

Result<Spawned> spawn(const SpawnSpec& spec) {
    if (spec.command.empty()) return Error{Errc::InvalidArgument, "the command is empty"};
    TRY(const std::string program, find_program(spec.command.front()));
    if (!spec.directory.empty() && access(spec.directory.c_str(), X_OK) != 0) {
        return spawn_error(errno, program + " in " + spec.directory);
    }
    SpawnSettings settings;
    configure(settings, spec);
    std::vector<std::string> arguments = spec.command;
    std::vector<std::string> environment = merged_environment(spec.environment);
    Spawned made;
    const int error = posix_spawn(&made.identity.pid, program.c_str(), &settings.actions, &settings.attributes,
                                  pointers(arguments).data(), pointers(environment).data());
    if (error == ENOEXEC) {
        return Error{Errc::InvalidArgument, program + " is not a program (a script needs a #! line)"};
    }
    if (error != 0) return spawn_error(error, program);
    // Nobody else waits for our children, so the number stays this process's until reap().
    made.pidfd = Fd(open_pidfd(made.identity.pid));
    if (!made.pidfd.open()) {
        const int failure = errno;
        kill(-made.identity.pid, SIGKILL);
        waitpid(made.identity.pid, nullptr, 0);
        return Error{Errc::Internal, "pidfd_open: " + reason(failure)};
    }
    const auto stat = read_stat(made.identity.pid);
    made.identity.start_ticks = stat ? stat->start_ticks : 0;
    return made;
}

Result<Fd> open_process(const ProcessIdentity& identity) {
    const Error gone{Errc::NotFound, "process " + std::to_string(identity.pid) + " is gone"};
    Fd pidfd(open_pidfd(identity.pid));
    if (!pidfd.open()) return gone;
    // Compared after opening: what the descriptor stands for can't change any more.
    const auto stat = read_stat(identity.pid);
    if (!stat || stat->start_ticks != identity.start_ticks || stat->state == 'Z') return gone;
    return pidfd;
}

ExitStatus peek(const Spawned& process) {
    ExitStatus status;
    siginfo_t info{};
    const auto fd = static_cast<id_t>(process.pidfd.get());
    if (waitid(P_PIDFD, fd, &info, WEXITED | WNOWAIT | WNOHANG) != 0 || info.si_pid == 0) return status;
    status.known = true;
    (info.si_code == CLD_EXITED ? status.code : status.signal) = info.si_status;
    return status;
}

ExitStatus reap(const Spawned& process) {
    const ExitStatus status = peek(process);
    kill(-process.identity.pid, SIGKILL);
    siginfo_t info{};
    if (status.known) waitid(P_PIDFD, static_cast<id_t>(process.pidfd.get()), &info, WEXITED | WNOHANG);
    return status;
}

bool wait_for_end(const Fd& pidfd, Duration limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        const auto wait = std::clamp<std::int64_t>(left.count(), 0, std::numeric_limits<int>::max());
        pollfd watched{pidfd.get(), POLLIN, 0};
        const int ready = poll(&watched, 1, static_cast<int>(wait));
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

Result<CommandResult> run_command(const std::vector<std::string>& command, Duration limit) {
    const Fd output(memfd_create("command-output", MFD_CLOEXEC));
    if (!output.open()) return Error{Errc::Internal, "memfd_create: " + reason(errno)};
    TRY(const Spawned process, spawn({command, {}, "", output.get()}));
    const bool ended = wait_for_end(process.pidfd, limit);
    if (!ended) {
        kill(-process.identity.pid, SIGKILL);
        (void)wait_for_end(process.pidfd, Duration{5'000});
    }
    CommandResult result;
    result.status = reap(process);
    result.output.resize(kOutputLimit);
    const ssize_t got = pread(output.get(), result.output.data(), result.output.size(), 0);
    result.output.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    if (!ended) {
        return Error{Errc::DeadlineExceeded, command.front() + " did not end within " + format_duration(limit)};
    }
    return result;
}

Result<Unit> restart_unit(const std::string& unit, Duration limit) {
    TRY(const auto done, run_command({"systemctl", "restart", "--", unit}, limit));
    if (done.status.code == 0 && done.status.signal == 0) return Unit{};
    std::string said(trim(done.output));
    return Error{Errc::Internal, "systemctl restart " + unit + " failed: " + (said.empty() ? "it said nothing" : said)};
}

}  // namespace stoker::heal
