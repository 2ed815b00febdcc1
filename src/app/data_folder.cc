#include "app/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace stoker::app {

Result<DataFolder> DataFolder::open(const std::string& path) {
    auto made = ensure_directory(path);
    if (!made) return std::move(made).error().context("data folder");
    std::string file = path + "/LOCK";
    int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return Error{Errc::PermissionDenied, "data folder: " + file + ": " + std::strerror(errno)};
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ::close(fd);
        return Error{Errc::Conflict, "data folder " + path +
                                         " is in use by another Stoker; stop it, or give --data-dir another folder"};
    }
    return DataFolder(path, fd);
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataFolder::~DataFolder() {
    if (lock_ >= 0) ::close(lock_);
}

Result<Unit> DataFolder::publish(const std::string& gateway, const std::string& console, Timestamp started) const {
    nlohmann::json run = {{"version", 1},
                          {"pid", ::getpid()},
                          {"gateway", gateway},
                          {"console", console},
                          {"started_ms", to_millis(started)}};
    return write_file_atomic(at("run.json"), run.dump() + "\n");
}

void DataFolder::withdraw() const {
    ::unlink(at("run.json").c_str());
}

}  // namespace stoker::app
