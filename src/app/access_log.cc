#include "app/access_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace stoker::app {
namespace {

constexpr std::size_t kAtOnce = 1000;
constexpr int kMostRounds = 100;  // Of one call, so that stopping never waits for a backlog.

Error file_error(const std::string& what, const std::string& path) {
    return {Errc::Unavailable, what + " " + path + ": " + std::strerror(errno)};
}

}  // namespace

AccessLog::AccessLog(journal::Journal& journal, state::StateStore& state, metrics::Registry& registry)
    : place_(journal, state, "access_log"),
      lines_(registry.counter("stoker_access_log_lines_total", "Lines written to the access log.").with()),
      failures_(registry.counter("stoker_access_log_failures_total", "Writes of the access log that failed.").with()) {}

AccessLog::~AccessLog() {
    close();
}

void AccessLog::configure(std::string path) {
    MutexLock lock(mutex_);
    path_ = std::move(path);
}

std::string AccessLog::path() const {
    MutexLock lock(mutex_);
    return path_;
}

void AccessLog::close() {
    if (file_ > STDOUT_FILENO) ::close(file_);
    file_ = -1;
    open_path_.clear();
}

Result<Unit> AccessLog::open(const std::string& path) {
    if (path == "-") {
        file_ = STDOUT_FILENO;
        open_path_ = path;
        return Unit{};
    }
    struct stat now {};
    const bool there = ::stat(path.c_str(), &now) == 0;
    if (file_ >= 0 && open_path_ == path && there && now.st_ino == inode_) return Unit{};
    close();
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file_ < 0) return file_error("can't open", path);
    if (::fstat(file_, &now) != 0) return file_error("can't look at", path);
    inode_ = now.st_ino;
    open_path_ = path;
    return Unit{};
}

Result<Unit> AccessLog::append(std::span<const journal::Record> records) {
    std::string lines;
    for (const journal::Record& record : records) lines.append(record.payload) += '\n';
    std::string_view left = lines;
    while (!left.empty()) {
        const ssize_t written = ::write(file_, left.data(), left.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return file_error("can't write to", open_path_);
        left.remove_prefix(static_cast<std::size_t>(written));
    }
    lines_.add(static_cast<double>(records.size()));
    return Unit{};
}

void AccessLog::write() {
    const std::string path = this->path();
    if (path.empty()) {
        close();
        return place_.forget();
    }
    auto done = open(path);
    for (int round = 0; done && round < kMostRounds; ++round) {
        const auto read =
            place_.read(kAtOnce, [this](std::span<const journal::Record> records) { return append(records); });
        if (!read) {
            done = read.error();
        } else if (*read == 0) {
            break;
        }
    }
    if (!done) failures_.add();
    if (!done && !failing_) {
        log::error("the access log can't be written; its lines wait in the journal", {{"error", done.error().message}});
    }
    failing_ = !done;
}

}  // namespace stoker::app
