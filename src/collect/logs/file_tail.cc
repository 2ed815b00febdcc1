#include "collect/logs/file_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace stoker::collect {
namespace {

constexpr std::size_t kChunk = std::size_t{64} << 10;

Error system_error(const std::string& path) {
    const int code = errno;
    const Errc errc = code == ENOENT                    ? Errc::NotFound
                      : code == EACCES || code == EPERM ? Errc::PermissionDenied
                                                        : Errc::Unavailable;
    return {errc, path + ": " + std::strerror(code)};
}

// FNV-1a.
std::uint64_t hash_of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : bytes) {
        hash ^= static_cast<unsigned char>(byte);
        hash *= 0x100000001b3;
    }
    return hash;
}

}  // namespace

Result<FileId> file_id(const std::string& path) {
    struct ::stat info {};
    if (::stat(path.c_str(), &info) != 0) return system_error(path);
    return FileId{info.st_dev, info.st_ino};
}

Result<std::unique_ptr<FileTail>> FileTail::open(const std::string& path, std::uint64_t offset,
                                                 const Fingerprint& known, std::size_t max_line) {
    // Not blocking: opening a named pipe would wait for its writer.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return system_error(path);
    struct ::stat info {};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        ::close(fd);
        return Error{Errc::InvalidArgument, path + ": is no regular file"};
    }
    std::unique_ptr<FileTail> tail(new FileTail(fd, {info.st_dev, info.st_ino}, max_line));
    const bool same = tail->print(known.bytes) == known && offset <= static_cast<std::uint64_t>(info.st_size);
    tail->at_ = tail->begin_ = same ? offset : 0;
    tail->fingerprint_ = tail->print(Fingerprint::kBytes);
    return tail;
}

FileTail::~FileTail() {
    ::close(fd_);
}

Fingerprint FileTail::print(std::uint32_t bytes) const {
    std::array<char, Fingerprint::kBytes> buffer{};
    const ssize_t got = ::pread(fd_, buffer.data(), std::min<std::size_t>(bytes, buffer.size()), 0);
    if (got <= 0) return {};
    const auto size = static_cast<std::size_t>(got);
    return {static_cast<std::uint32_t>(size), hash_of({buffer.data(), size})};
}

std::uint64_t FileTail::lag() const {
    struct ::stat info {};
    if (::fstat(fd_, &info) != 0) return 0;
    const auto size = static_cast<std::uint64_t>(info.st_size);
    return size > at_ ? size - at_ : 0;
}

// A file that was emptied and has grown again since to where we were, or past it, looks like any other but for its
// first bytes.
Result<Unit> FileTail::follow_truncation() {
    struct ::stat info {};
    if (::fstat(fd_, &info) != 0) return system_error("fstat");
    const auto size = static_cast<std::uint64_t>(info.st_size);
    const bool shorter = size < at_;
    const std::int64_t changed = info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec;
    const bool touched = std::exchange(changed_ns_, changed) != changed;
    const bool other =
        !shorter && (size > at_ || touched) && fingerprint_.bytes > 0 && print(fingerprint_.bytes) != fingerprint_;
    if (shorter || other) {
        ++counts_.truncations;
        rewind(0);
        before_truncation_ = std::exchange(fingerprint_, {});
    }
    if (fingerprint_.bytes < Fingerprint::kBytes && size > fingerprint_.bytes) {
        fingerprint_ = print(Fingerprint::kBytes);
    }
    return Unit{};
}

void FileTail::rewind(std::uint64_t offset) {
    at_ = begin_ = offset;
    rest_.clear();
    skipping_ = false;
}

Result<std::size_t> FileTail::read(std::size_t budget, const OnLine& on_line) {
    TRY_UNIT(follow_truncation());
    thread_local std::array<char, kChunk> buffer;
    std::size_t total = 0;
    while (total < budget) {
        const ssize_t got = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(at_));
        if (got < 0) return system_error("pread");
        if (got == 0) break;
        at_ += static_cast<std::uint64_t>(got);
        total += static_cast<std::size_t>(got);
        take({buffer.data(), static_cast<std::size_t>(got)}, on_line);
    }
    return total;
}

void FileTail::take(std::string_view bytes, const OnLine& on_line) {
    std::uint64_t position = at_ - bytes.size();
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const bool whole = end != std::string_view::npos;
        const std::string_view piece = bytes.substr(0, end);
        if (!skipping_ && rest_.size() + piece.size() > max_line_) {
            rest_ += piece.substr(0, max_line_ - rest_.size());
            ++counts_.cut_lines;
            on_line(rest_, begin_);
            rest_.clear();
            skipping_ = true;
        } else if (whole && !skipping_) {
            if (rest_.empty()) {
                on_line(piece, begin_);
            } else {
                rest_ += piece;
                on_line(rest_, begin_);
                rest_.clear();
            }
        } else if (!skipping_) {
            rest_ += piece;
        }
        const std::size_t used = piece.size() + (whole ? 1 : 0);
        position += used;
        bytes.remove_prefix(used);
        if (whole) {
            begin_ = position;
            skipping_ = false;
        }
    }
}

void FileTail::finish(const OnLine& on_line) {
    if (rest_.empty()) return;
    on_line(rest_, begin_);
    rest_.clear();
    begin_ = at_;
}

}  // namespace stoker::collect
