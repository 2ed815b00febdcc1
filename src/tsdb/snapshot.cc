// A copy of the store while it runs.
//
// maintain() stands still meanwhile, so the log keeps all its segments; appends go on. What was acknowledged before is
// in the segments that the rotation closed, or in RocksDB; what is in both is known by replay.
#include <filesystem>

#include "base/file.h"
#include "tsdb/store_impl.h"
#include "tsdb/wal_format.h"

namespace stoker::tsdb {

namespace {

namespace fs = std::filesystem;

Error file_error(const fs::path& path, const std::error_code& why) {
    return {why == std::errc::no_space_on_device ? Errc::ResourceExhausted : Errc::Unavailable,
            "snapshot to " + path.string() + ": " + why.message()};
}

// Copies and no links: a restart cuts a torn end off in place, and that must not reach the other one's log.
Result<Unit> copy_log(const fs::path& from, const fs::path& to, std::uint64_t end) {
    TRY_UNIT(ensure_directory(to));
    TRY(const auto segments, wal_segments(from));
    for (const std::uint64_t number : segments) {
        if (number >= end) {
            continue;
        }
        TRY(const std::string bytes, read_file(wal_segment_path(from, number), std::size_t{8} << 30));
        TRY_UNIT(write_file_atomic(wal_segment_path(to, number), bytes, stoker::Durability::PowerLoss));
    }
    return sync_directory(to);
}

}  // namespace

Result<Unit> StoreImpl::snapshot(const std::string& directory) {
    const fs::path target = fs::path(directory).lexically_normal();
    const fs::path building = target.string() + ".partial";
    std::error_code failed;
    if (fs::exists(target, failed)) {
        return Error{Errc::Conflict, "snapshot: " + directory + " is there already"};
    }
    MutexLock lock(maintenance_);
    TRY_UNIT(writable());
    fs::remove_all(building, failed);  // Of a snapshot that this process did not live to finish.
    auto done = write_snapshot(building);
    if (done) {
        fs::rename(building, target, failed);
        done = failed ? Result<Unit>(file_error(target, failed))
                      : sync_directory(target.parent_path().empty() ? "." : target.parent_path());
    }
    if (!done) {
        std::error_code ignored;
        fs::remove_all(building, ignored);
    }
    return done;
}

Result<Unit> StoreImpl::write_snapshot(const fs::path& directory) {
    TRY_UNIT(ensure_directory(directory));
    TRY_UNIT(save_meta());
    TRY(const std::uint64_t segment, wal_->rotate());
    TRY_UNIT(disk_->copy_to((directory / "chunks").string()));
    std::error_code none;
    if (const fs::path tombstones = fs::path(directory_) / "tombstones"; fs::exists(tombstones, none)) {
        TRY(const std::string bytes, read_file(tombstones, std::size_t{1} << 30));
        TRY_UNIT(write_file_atomic(directory / "tombstones", bytes, stoker::Durability::PowerLoss));
    }
    return copy_log(fs::path(directory_) / "wal", directory / "wal", segment);
}

}  // namespace stoker::tsdb
