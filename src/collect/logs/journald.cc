#include "collect/logs/journald.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "collect/logs/journald_line.h"

extern char** environ;

namespace stoker::collect {
namespace {

constexpr std::size_t kEntriesPerBatch = 1000;
constexpr std::chrono::seconds kAgain{10};  // After a child that ended, or could not be started.

}  // namespace

std::vector<std::string> journalctl_command(const JournaldOptions& options, const std::string& cursor) {
    std::vector<std::string> command = {"journalctl", "--output=json", "--follow", "--quiet", "--no-pager"};
    if (!options.directory.empty()) command.push_back("--directory=" + options.directory);
    for (const std::string& unit : options.units) command.push_back("--unit=" + unit);
    command.push_back(cursor.empty() ? "--lines=0" : "--after-cursor=" + cursor);
    if (!cursor.empty()) command.emplace_back("--lines=all");
    return command;
}

JournaldFollower::JournaldFollower(JournaldOptions options, LogSink& sink, metrics::Registry& registry)
    : options_(std::move(options)),
      sink_(sink),
      unreadable_(
          registry
              .counter("stoker_logs_journald_unreadable_total", "Lines of journalctl that are no entry of the journal.")
              .with()),
      starts_(registry.counter("stoker_logs_journald_starts_total", "How often journalctl was started.").with()) {
    if (options_.cursor_file.empty()) return;
    if (auto kept = read_file(options_.cursor_file)) cursor_ = trim(*kept);
}

JournaldFollower::~JournaldFollower() {
    end("");
}

void JournaldFollower::start(SteadyTime now) {
    not_before_ = now + kAgain;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return log::error("journald: no pipe", {{"error", std::strerror(errno)}});
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    // Stoker's threads block signals; the child must not.
    ::posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    const auto command = journalctl_command(options_, cursor_);
    std::vector<char*> arguments;
    for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
    arguments.push_back(nullptr);
    const int failed = ::posix_spawnp(&child_, arguments[0], &actions, &attributes, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    ::close(ends[1]);
    if (failed != 0) {
        child_ = -1;
        ::close(ends[0]);
        return log::error("journald: journalctl can't be started", {{"error", std::strerror(failed)}});
    }
    pipe_ = ends[0];
    ::fcntl(pipe_, F_SETFL, O_NONBLOCK);
    starts_.add();
}

void JournaldFollower::end(const char* why) {
    if (pipe_ >= 0) ::close(std::exchange(pipe_, -1));
    if (child_ < 0) return;
    ::kill(child_, SIGKILL);  // It keeps nothing that could be lost.
    int status = 0;
    ::waitpid(std::exchange(child_, -1), &status, 0);
    rest_.clear();
    skipping_ = false;
    entries_.clear();
    if (*why != '\0') log::warn("journald: journalctl ended", {{"why", why}, {"status", status}});
}

void JournaldFollower::take(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t size = bytes.find('\n');
        rest_ += bytes.substr(0, size);
        if (size == std::string_view::npos) {
            skipping_ = skipping_ || rest_.size() > options_.max_line;
            if (skipping_) rest_.clear();
            return;
        }
        bytes.remove_prefix(size + 1);
        if (auto line = skipping_ ? Result<JournaldEntry>(Error{Errc::InvalidArgument, "too long"})
                                  : parse_journald_line(rest_)) {
            if (!line->cursor.empty()) pending_cursor_ = std::move(line->cursor);
            line->entry.observed_ns = now_nanos();
            if (!line->entry.body.empty()) entries_.push_back(std::move(line->entry));
        } else {
            unreadable_.add();
        }
        rest_.clear();
        skipping_ = false;
    }
}

// False: the sink took nothing.
bool JournaldFollower::deliver() {
    if (!entries_.empty()) {
        if (!sink_.append(entries_)) return false;  // A copy: it is tried again.
        entries_.clear();
    }
    if (pending_cursor_.empty() || pending_cursor_ == cursor_) return true;
    cursor_ = pending_cursor_;
    if (options_.cursor_file.empty()) return true;
    if (auto written = write_file_atomic(options_.cursor_file, cursor_ + "\n"); !written) {
        log::error("journald: the place is not kept", {{"error", written.error().message}});
    }
    return true;
}

void JournaldFollower::poll(SteadyTime now, Duration limit) {
    if (child_ < 0 && now >= not_before_) start(now);
    if (child_ < 0) return;
    const SteadyTime until = now + limit;
    thread_local std::array<char, 65536> buffer;
    for (;;) {
        if (entries_.size() >= kEntriesPerBatch && !deliver()) return;
        const ssize_t got = ::read(pipe_, buffer.data(), buffer.size());
        if (got > 0) {
            take({buffer.data(), static_cast<std::size_t>(got)});
            continue;
        }
        const bool waits = got < 0 && (errno == EAGAIN || errno == EINTR);
        if (!deliver()) return;
        if (!waits) return end("its output ended");
        const auto left = std::chrono::duration_cast<Duration>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return;
        ::pollfd one{pipe_, POLLIN, 0};
        ::poll(&one, 1, static_cast<int>(left.count()));
    }
}

}  // namespace stoker::collect
