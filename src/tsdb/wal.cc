#include "tsdb/wal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/check.h"
#include "base/file.h"
#include "tsdb/bytes.h"
#include "tsdb/wal_format.h"

namespace stoker::tsdb {

namespace {

constexpr std::size_t kKeepCapacity = std::size_t{1} << 20;  // Buffers above this go back to the allocator.

Error system_error(std::string_view what, const std::filesystem::path& path) {
    return {Errc::Unavailable, fmt::format("{} {}: {}", what, path.string(), std::strerror(errno))};
}

Result<Unit> write_all(int fd, std::string_view header, std::string_view body, const std::filesystem::path& path) {
    while (!header.empty() || !body.empty()) {
        std::array<iovec, 2> parts{
            {{const_cast<char*>(header.data()), header.size()}, {const_cast<char*>(body.data()), body.size()}}};
        const ssize_t wrote = ::writev(fd, parts.data(), parts.size());
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return system_error("write", path);
        }
        const std::size_t of_header = std::min(header.size(), static_cast<std::size_t>(wrote));
        header.remove_prefix(of_header);
        body.remove_prefix(static_cast<std::size_t>(wrote) - of_header);
    }
    return Unit{};
}

}  // namespace

Result<std::unique_ptr<Wal>> Wal::open(const std::filesystem::path& directory, std::uint64_t number, WalSync sync) {
    TRY_UNIT(ensure_directory(directory));
    TRY(const auto older, wal_segments(directory));
    std::unique_ptr<Wal> wal(new Wal(directory, sync));
    MutexLock lock(wal->mutex_);
    for (const std::uint64_t segment : older) {
        STOKER_CHECK(segment < number);
        std::error_code ignored;
        wal->older_bytes_ += std::filesystem::file_size(wal_segment_path(directory, segment), ignored);
    }
    TRY_UNIT(wal->start_segment(number));
    return wal;
}

Wal::~Wal() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Result<Unit> Wal::start_segment(std::uint64_t number) {
    const auto path = wal_segment_path(directory_, number);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        return system_error("create", path);
    }
    std::string header(kWalMagic);
    put_fixed(header, number);
    Result<Unit> done = write_all(fd, header, {}, path);
    if (done && sync_ == WalSync::EveryCommit) {
        done = ::fdatasync(fd) == 0 ? sync_directory(directory_) : Result<Unit>(system_error("sync", path));
    }
    if (!done) {
        ::close(fd);
        return done;
    }
    if (fd_ >= 0) {
        ::close(fd_);
    }
    fd_ = fd;
    number_ = number;
    older_bytes_ += segment_bytes_;
    segment_bytes_ = header.size();
    return Unit{};
}

std::uint64_t Wal::enqueue(std::string_view entries) {
    MutexLock lock(mutex_);
    pending_ += entries;
    return ++enqueued_;
}

Result<Unit> Wal::commit(std::uint64_t ticket) {
    MutexLock lock(mutex_);
    while (written_ < ticket && !failure_) {
        if (writing_) {
            wait_for_writer();
        } else {
            write_pending();
        }
    }
    return health_locked();
}

void Wal::wait_for_writer() {
    written_changed_.wait(mutex_);
}

void Wal::write_pending() {
    const std::uint64_t upto = enqueued_;
    const std::uint64_t offset = segment_bytes_;
    std::string entries;
    entries.swap(pending_);
    pending_.swap(spare_);
    writing_ = true;
    mutex_.unlock();
    Result<Unit> done = write_frame(entries, offset);
    const std::size_t size = entries.size();
    entries.clear();
    if (entries.capacity() > kKeepCapacity) {
        entries = std::string();
    }
    mutex_.lock();
    writing_ = false;
    spare_.swap(entries);
    if (done) {
        written_ = upto;
        segment_bytes_ = offset + kWalFrameHeader + size;
    } else {
        failure_ = std::move(done).error();
    }
    written_changed_.notify_all();
}

Result<Unit> Wal::write_frame(std::string_view entries, std::uint64_t offset) {
    const auto path = wal_segment_path(directory_, number_);
    if (entries.size() > kWalMaxFrame) {
        return Error{Errc::Unavailable, fmt::format("log frame of {} bytes is over the limit", entries.size())};
    }
    std::string header;
    put_fixed(header, wal_checksum(entries, number_, offset));
    put_fixed(header, static_cast<std::uint32_t>(entries.size()));
    TRY_UNIT(write_all(fd_, header, entries, path));
    if (sync_ == WalSync::EveryCommit && ::fdatasync(fd_) != 0) {
        return system_error("sync", path);
    }
    return Unit{};
}

Result<std::uint64_t> Wal::rotate() {
    MutexLock lock(mutex_);
    while (!failure_ && (writing_ || written_ < enqueued_)) {
        if (writing_) {
            wait_for_writer();
        } else {
            write_pending();
        }
    }
    TRY_UNIT(health_locked());
    if (auto started = start_segment(number_ + 1); !started) {
        failure_ = started.error();
        return std::move(started).error();
    }
    return number_;
}

Result<Unit> Wal::remove_before(std::uint64_t number) {
    TRY(const auto segments, wal_segments(directory_));
    std::uint64_t removed = 0;
    for (const std::uint64_t segment : segments) {
        if (segment >= number) {
            continue;
        }
        const auto path = wal_segment_path(directory_, segment);
        std::error_code failed;
        const std::uint64_t size = std::filesystem::file_size(path, failed);
        if (!std::filesystem::remove(path, failed)) {
            return Error{Errc::Unavailable, fmt::format("remove {}: {}", path.string(), failed.message())};
        }
        removed += size;
    }
    MutexLock lock(mutex_);
    older_bytes_ -= std::min(older_bytes_, removed);
    return Unit{};
}

std::uint64_t Wal::bytes() const {
    MutexLock lock(mutex_);
    return older_bytes_ + segment_bytes_;
}

Result<Unit> Wal::health() const {
    MutexLock lock(mutex_);
    return health_locked();
}

Result<Unit> Wal::health_locked() const {
    if (failure_) {
        return *failure_;
    }
    return Unit{};
}

}  // namespace stoker::tsdb
