#include "journal/file_system.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/file.h"

namespace stoker::journal {
namespace {

Error failed(std::string_view action, const std::string& path, int error) {
    const Errc code = error == ENOENT                      ? Errc::NotFound
                      : error == ENOSPC || error == EDQUOT ? Errc::ResourceExhausted
                                                           : Errc::Unavailable;
    return {code, fmt::format("cannot {} {}: {}", action, path, std::generic_category().message(error))};
}

class PosixFile final : public File {
public:
    PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
    ~PosixFile() override { ::close(fd_); }
    PosixFile(const PosixFile&) = delete;
    PosixFile& operator=(const PosixFile&) = delete;

    Result<Unit> write(std::string_view bytes) override {
        while (!bytes.empty()) {
            const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return failed("write", path_, errno);
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return Unit{};
    }

    Result<std::size_t> read_at(std::uint64_t offset, char* buffer, std::size_t count) const override {
        std::size_t done = 0;
        while (done < count) {
            const ssize_t got = ::pread(fd_, buffer + done, count - done, static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return failed("read", path_, errno);
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    Result<Unit> sync() override {
        if (::fdatasync(fd_) != 0) return failed("sync", path_, errno);
        return Unit{};
    }

    Result<Unit> truncate(std::uint64_t size) override {
        if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return failed("cut", path_, errno);
        return Unit{};
    }

    Result<std::uint64_t> size() const override {
        struct stat status {};
        if (::fstat(fd_, &status) != 0) return failed("look at", path_, errno);
        return static_cast<std::uint64_t>(status.st_size);
    }

private:
    int fd_;
    std::string path_;
};

class PosixFileSystem final : public FileSystem {
public:
    Result<std::unique_ptr<File>> open_append(const std::string& path) override {
        return open(path, O_RDWR | O_CREAT | O_APPEND);
    }
    Result<std::unique_ptr<File>> open_read(const std::string& path) override { return open(path, O_RDONLY); }

    Result<Unit> rename(const std::string& from, const std::string& to) override {
        if (std::rename(from.c_str(), to.c_str()) != 0) return failed("rename", from, errno);
        return Unit{};
    }

    Result<Unit> remove(const std::string& path) override {
        if (::unlink(path.c_str()) != 0) return failed("remove", path, errno);
        return Unit{};
    }

    Result<Unit> make_directory(const std::string& path) override { return ensure_directory(path); }
    Result<Unit> sync_directory(const std::string& path) override { return stoker::sync_directory(path); }

    Result<std::vector<std::string>> list(const std::string& directory) override {
        std::error_code error;
        std::vector<std::string> names;
        std::filesystem::directory_iterator entry(directory, error);
        for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
            names.push_back(entry->path().filename().string());
        }
        if (error) return failed("list", directory, error.value());
        return names;
    }

    Result<std::unique_ptr<File>> lock(const std::string& path) override {
        TRY(auto file, open_posix(path, O_RDWR | O_CREAT));
        if (::flock(file.first, LOCK_EX | LOCK_NB) == 0) return std::unique_ptr<File>(std::move(file.second));
        if (errno != EWOULDBLOCK) return failed("lock", path, errno);
        return Error{Errc::Conflict, fmt::format("{} is held by another process", path)};
    }

private:
    static Result<std::pair<int, std::unique_ptr<PosixFile>>> open_posix(const std::string& path, int flags) {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
        if (fd < 0) return failed("open", path, errno);
        return std::pair{fd, std::make_unique<PosixFile>(fd, path)};
    }

    static Result<std::unique_ptr<File>> open(const std::string& path, int flags) {
        TRY(auto file, open_posix(path, flags));
        return std::unique_ptr<File>(std::move(file.second));
    }
};

}  // namespace

FileSystem& real_file_system() {
    static PosixFileSystem instance;
    return instance;
}

}  // namespace stoker::journal
