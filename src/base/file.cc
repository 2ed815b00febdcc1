#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/id.h"

namespace stoker {
namespace {

namespace fs = std::filesystem;

Errc code_of(int error) {
    switch (error) {
        case ENOENT:
        case ENOTDIR:
            return Errc::NotFound;
        case EACCES:
        case EPERM:
        case EROFS:
            return Errc::PermissionDenied;
        case EEXIST:
            return Errc::Conflict;
        case ENOSPC:
        case EDQUOT:
        case EMFILE:
            return Errc::ResourceExhausted;
        default:
            return Errc::Internal;
    }
}

Error failed(std::string_view action, const fs::path& path, int error) {
    return {code_of(error),
            fmt::format("cannot {} {}: {}", action, path.string(), std::generic_category().message(error))};
}

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const { return fd_; }
    // Closes and tells whether the file system took everything (NFS says it only here).
    bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

private:
    int fd_;
};

Result<Unit> write_all(Descriptor& file, std::string_view content, const fs::path& path) {
    while (!content.empty()) {
        const ssize_t written = ::write(file.get(), content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed("write", path, errno);
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return Unit{};
}

Result<Unit> write_new(const fs::path& path, std::string_view content, Durability durability, unsigned mode) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(mode)));
    if (file.get() < 0) return failed("create", path, errno);
    TRY_UNIT(write_all(file, content, path));
    if (durability == Durability::PowerLoss && ::fsync(file.get()) != 0) return failed("sync", path, errno);
    if (!file.close()) return failed("close", path, errno);
    return Unit{};
}

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

Result<std::string> read_file(const fs::path& path, std::size_t limit) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return failed("open", path, errno);
    constexpr std::size_t kStep = std::size_t{64} << 10;
    std::string content;
    while (true) {
        const std::size_t before = content.size();
        // One byte past the limit tells a file of just that size from a larger one.
        content.resize(before + std::min(kStep, limit - before + 1));
        const ssize_t count = ::read(file.get(), content.data() + before, content.size() - before);
        if (count < 0 && errno != EINTR) return failed("read", path, errno);
        content.resize(before + static_cast<std::size_t>(std::max<ssize_t>(0, count)));
        if (count == 0) return content;
        if (content.size() > limit) {
            return Error{Errc::ResourceExhausted, fmt::format("{} is larger than {} bytes", path.string(), limit)};
        }
    }
}

Result<Unit> write_file_atomic(const fs::path& path, std::string_view content, Durability durability, unsigned mode) {
    fs::path temporary = path;
    temporary += ".tmp-" + random_hex(6);
    auto written = write_new(temporary, content, durability, mode);
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0) written = failed("replace", path, errno);
    if (!written) {
        ::unlink(temporary.c_str());
        return written;
    }
    if (durability == Durability::PowerLoss) return sync_directory(folder_of(path));
    return Unit{};
}

Result<std::uint64_t> copy_durably(const fs::path& from, const fs::path& to, std::uint64_t most) {
    Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (source.get() < 0) return failed("read", from, errno);
    Descriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (target.get() < 0) return failed("create", to, errno);
    std::uint64_t copied = 0;
    while (copied < most) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most - copied, std::uint64_t{1} << 30));
        const ssize_t count = ::copy_file_range(source.get(), nullptr, target.get(), nullptr, wanted, 0);
        if (count == 0) break;
        if (count < 0) return failed("copy to", to, errno);
        copied += static_cast<std::uint64_t>(count);
    }
    if (::fsync(target.get()) != 0 || !target.close()) return failed("write", to, errno);
    return copied;
}

Result<Unit> ensure_directory(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) return Unit{};
    if (!error || error == std::errc::not_a_directory || error == std::errc::file_exists) {
        return Error{Errc::Conflict, fmt::format("{} is not a folder", path.string())};
    }
    return failed("make the folder", path, error.value());
}

Result<Unit> sync_directory(const fs::path& path) {
    Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0) return failed("open", path, errno);
    if (::fsync(folder.get()) != 0) return failed("sync", path, errno);
    return Unit{};
}

}  // namespace stoker
