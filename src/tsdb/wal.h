// The write-ahead log: what was acknowledged since the last checkpoint, in segments of frames.
//
// Writers enqueue their entries (under the lock of the shard they changed, so that the log has each series in the order
// of its head) and then commit. Group commit: the first to commit writes everything enqueued so far as one frame with
// one write(), the others wait for it. A frame is there whole or not at all, by its checksum. After a failed write or
// sync the log stays failed: what the kernel did with the pages is unknown, so nothing more is acknowledged. A write
// for which there was no space is the one exception: what it left is cut off, and retry() writes it anew.
//
// Why not RocksDB's log: this one writes a batch once, keeps no second copy in a memtable, and is dropped by unlink.
// Format: docs/format/tsdb.md. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sync.h"
#include "tsdb/faults.h"

namespace stoker::tsdb {

enum class WalSync : std::uint8_t { None, EveryCommit };

class Wal {
public:
    // Starts segment `number` in `directory`. REQUIRES: no segment of that number or above exists.
    static Result<std::unique_ptr<Wal>> open(const std::filesystem::path& directory, std::uint64_t number, WalSync sync,
                                             Faults* faults = nullptr);
    ~Wal();
    Wal(const Wal&) = delete;
    Wal& operator=(const Wal&) = delete;

    // Takes entries for the next frame; they are not durable before commit() of the returned ticket succeeds.
    std::uint64_t enqueue(std::string_view entries);

    // Waits until everything up to the ticket is written (and synced). Errors: ResourceExhausted while there is no
    // space, Unavailable once a write has failed otherwise.
    Result<Unit> commit(std::uint64_t ticket);

    // After ResourceExhausted: writes what waits. Everything enqueued before is durable if it succeeds, the entries of
    // failed commits too: later ones may build on them.
    Result<Unit> retry();

    // Ends the current segment and starts the next, whose number it returns: all entries enqueued before are below it.
    Result<std::uint64_t> rotate();

    // Deletes segments below `number`.
    Result<Unit> remove_before(std::uint64_t number);

    // Bytes in segments not yet removed, those found by open() included.
    std::uint64_t bytes() const;
    Result<Unit> health() const;

private:
    Wal(std::filesystem::path directory, WalSync sync, Faults* faults)
        : directory_(std::move(directory)), sync_(sync), faults_(faults) {}

    Result<Unit> start_segment(std::uint64_t number) REQUIRES_LOCK(mutex_);
    void write_pending() REQUIRES_LOCK(mutex_);
    Error cut_back(std::uint64_t offset, Error error) REQUIRES_LOCK(mutex_);
    void wait_for_writer() REQUIRES_LOCK(mutex_);
    Result<Unit> health_locked() const REQUIRES_LOCK(mutex_);
    // Without the lock: only the one writer calls it.
    Result<Unit> write_frame(std::string_view entries, std::uint64_t offset);

    const std::filesystem::path directory_;
    const WalSync sync_;
    Faults* const faults_;

    mutable Mutex mutex_;
    std::condition_variable_any written_changed_;
    std::string pending_ GUARDED_BY(mutex_);
    std::string spare_ GUARDED_BY(mutex_);  // The buffer that was written last, kept for its capacity.
    bool writing_ GUARDED_BY(mutex_) = false;
    std::uint64_t enqueued_ GUARDED_BY(mutex_) = 0;
    std::uint64_t written_ GUARDED_BY(mutex_) = 0;
    std::uint64_t segment_bytes_ GUARDED_BY(mutex_) = 0;
    std::uint64_t older_bytes_ GUARDED_BY(mutex_) = 0;
    std::optional<Error> failure_ GUARDED_BY(mutex_);
    std::uint64_t number_ = 0;  // With fd_: changed under the lock while nobody writes, read by the one writer.
    int fd_ = -1;
};

// What reading the log back found.
struct WalReplay {
    std::uint64_t next_segment = 1;  // For Wal::open().
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
    std::uint64_t torn_bytes = 0;     // Cut from the end of the last segment: a write that was never acknowledged.
    std::uint64_t damaged_bytes = 0;  // Unreadable anywhere else: data was lost, and the file is kept aside.
    struct Damage {
        std::filesystem::path file;
        std::string what;
    };
    std::vector<Damage> damage;  // One for each stretch of them.
};

enum class WalMend : std::uint8_t { Yes, No };

// Gives each intact frame's entries to `visit`, in order; frames after a damaged one too. A frame that `visit` refuses
// (false) counts as damaged. Without mending no file is touched.
Result<WalReplay> replay_wal(const std::filesystem::path& directory, const std::function<bool(std::string_view)>& visit,
                             WalMend mend = WalMend::Yes);

}  // namespace stoker::tsdb
