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

Error system_error(std::string_view what, const std::filesystem::path& path, int error = errno) {
    const bool full = error == ENOSPC || error == EDQUOT;
    return {full ? Errc::ResourceExhausted : Errc::Unavailable,
            fmt::format("{} {}: {}", what, path.string(), std::strerror(error))};
}

Result<Unit> ask(Faults* faults, Faults::Op op, std::string_view what, const std::filesystem::path& path) {
    const int error = faults == nullptr ? 0 : faults->on(op, path.native());
    if (error != 0) {
        return system_error(what, path, error);
    }
    return Unit{};
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

Result<std::unique_ptr<Wal>> Wal::open(const std::filesystem::path& directory, std::uint64_t number, WalSync sync,
                                       Faults* faults) {
    TRY_UNIT(ensure_directory(directory));
    TRY(const auto older, wal_segments(directory));
    std::unique_ptr<Wal> wal(new Wal(directory, sync, faults));
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
    TRY_UNIT(ask(faults_, Faults::Op::Create, "create", path));
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        return system_error("create", path);
    }
    std::string header(kWalMagic);
    put_fixed(header, number);
    Result<Unit> done = ask(faults_, Faults::Op::Write, "write", path);
    if (done) {
        done = write_all(fd, header, {}, path);
    }
    if (done && sync_ == WalSync::EveryCommit) {
        done = ::fdatasync(fd) == 0 ? sync_directory(directory_) : Result<Unit>(system_error("sync", path));
    }
    if (!done) {
        ::close(fd);
        (void)::unlink(path.c_str());  // So that it can be tried again.
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
    std::string unwritten;
    if (!done) {
        unwritten.swap(entries);
    }
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
        // Later entries build on these (they may define a series), so they stay first in line.
        failure_ = std::move(done).error();
        pending_.insert(0, unwritten);
        failure_ = cut_back(offset, *std::move(failure_));
    }
    written_changed_.notify_all();
}

// What a failed write has left must go before anything is written after it; if it can't, the log is failed for good.
Error Wal::cut_back(std::uint64_t offset, Error error) {
    if (error.code != Errc::ResourceExhausted) {
        return error;
    }
    const auto path = wal_segment_path(directory_, number_);
    if (!ask(faults_, Faults::Op::Truncate, "cut", path) || ::ftruncate(fd_, static_cast<off_t>(offset)) != 0) {
        error.code = Errc::Unavailable;
        error.message += "; and what was written could not be cut off";
    }
    return error;
}

Result<Unit> Wal::retry() {
    MutexLock lock(mutex_);
    while (writing_) {
        wait_for_writer();
    }
    if (failure_ && failure_->code == Errc::ResourceExhausted) {
        failure_.reset();
        if (!pending_.empty()) {
            write_pending();
        }
    }
    return health_locked();
}

Result<Unit> Wal::write_frame(std::string_view entries, std::uint64_t offset) {
    const auto path = wal_segment_path(directory_, number_);
    if (entries.size() > kWalMaxFrame) {
        return Error{Errc::Unavailable, fmt::format("log frame of {} bytes is over the limit", entries.size())};
    }
    std::string header;
    put_fixed(header, wal_checksum(entries, number_, offset));
    const auto length = static_cast<std::uint32_t>(entries.size());
    put_fixed(header, length);
    put_fixed(header, wal_length_check(length, number_, offset));
    if (auto failed = ask(faults_, Faults::Op::Write, "write", path); !failed) {
        (void)write_all(fd_, header, entries.substr(0, entries.size() / 2), path);  // As a disk that fills up does it.
        return failed;
    }
    TRY_UNIT(write_all(fd_, header, entries, path));
    if (sync_ == WalSync::EveryCommit) {
        Result<Unit> synced = ask(faults_, Faults::Op::Sync, "sync", path);
        if (synced && ::fdatasync(fd_) != 0) {
            synced = system_error("sync", path);
        }
        if (!synced) {
            // What the kernel did with the pages is unknown, whatever the reason.
            return Error{Errc::Unavailable, std::move(synced).error().message};
        }
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
    TRY_UNIT(start_segment(number_ + 1));  // If it fails, the log goes on in the old one.
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
