// The journal on disk: segment files in one folder, one of them being written.
//
// Appends group: callers put their record into the pending batch; the first one finds no leader, becomes it, and writes
// everything pending with one system call while later callers fill the next batch. Alone, a caller leads itself, so an
// uncontended append is one write().
//
// Readers never touch the file being written beyond what a finished batch made valid, so they need no lock while
// reading. Every 64 KiB a mark (sequence, offset) is remembered, for a read to begin near its place.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/sync.h"
#include "journal/cursor_file.h"
#include "journal/file_system.h"
#include "journal/format.h"
#include "journal/journal.h"
#include "journal/segment_scanner.h"

namespace stoker::journal {

inline constexpr std::uint64_t kMarkBytes = 64 * 1024;
inline constexpr std::chrono::seconds kResumeAfter{1};

struct Mark {
    std::uint64_t sequence = 0;
    std::uint64_t offset = 0;
};

struct Segment {
    std::uint64_t first = 0;   // The sequence in its name; no record in it is below.
    Timestamp created{};       // Time of the record that it was made for: no record before it is newer.
    std::uint64_t size = 0;    // Bytes that readers may look at.
    std::uint64_t synced = 0;  // How many of them are known to survive the loss of power.
    std::vector<Mark> marks{};
};

class SegmentedJournal final : public Journal {
public:
    SegmentedJournal(std::string directory, Options options, FileSystem& files);

    // Locks the folder, reads what is there, cuts the torn tail. Call once, before anything else.
    Result<Unit> recover();

    Result<std::uint64_t> append(Kind kind, std::string_view payload, Timestamp time) override;
    Result<std::uint64_t> append_all(std::span<const Entry> entries) override;
    Result<std::vector<Record>> read(std::uint64_t from, std::size_t most) override;
    Result<Unit> sync() override;
    const std::string& identity() const override { return identity_; }
    std::uint64_t first_sequence() const override;
    std::uint64_t next_sequence() const override;
    std::uint64_t cursor(const std::string& consumer) const override;
    Result<Unit> commit(const std::string& consumer, std::uint64_t next) override;
    bool has_cursor(const std::string& consumer) const override;
    std::vector<std::string> consumers() const override;
    Result<Unit> forget(const std::string& consumer) override;
    Result<Unit> copy_to(const std::string& directory) override;
    void enforce_retention(Timestamp now) override;
    std::vector<Damage> damage() const override;
    Result<Unit> health() const override;
    std::uint64_t bytes() const override;

private:
    // Records that are written together. Fields are guarded by mutex_ until the leader takes the batch.
    struct Batch {
        std::string bytes;
        std::uint64_t first = 0;  // Sequence of its first record; 0 while it is empty.
        std::uint64_t last = 0;
        Timestamp time;  // Of its first record.
        bool done = false;
        std::optional<Error> error;
    };

    // What a read of one segment needs, copied under the lock.
    struct ReadPlan {
        std::uint64_t segment = 0;
        std::string path;
        Mark from;
        std::uint64_t end = 0;
        std::uint64_t below = 0;  // First sequence of the next segment, or the next to be written.
        bool last = false;
    };

    std::string path_of(std::uint64_t first) const;

    // Recovery (recovery.cc).
    Result<Unit> load_cursors();
    Result<Unit> load_segments();
    Result<Unit> check_segment_header(Segment& segment, bool& intact);
    Result<Unit> adopt_identity(bool any_segment, const std::optional<JournalId>& from_segments);
    Result<Unit> open_last_segment(bool intact);
    void set_identity(const JournalId& id);

    void put(Batch& batch, const Entry& entry, std::uint32_t checksum) REQUIRES_LOCK(mutex_);
    // Appending. The leader alone runs these, without the lock.
    void lead() REQUIRES_LOCK(mutex_);
    Result<Unit> write_batch(const Batch& batch);
    Result<Unit> start_segment(const Batch& batch);
    void finish_batch(Batch& batch, Result<Unit> written) REQUIRES_LOCK(mutex_);

    // Reading.
    std::optional<ReadPlan> plan_read(std::uint64_t from);
    Result<Unit> read_segment(const ReadPlan& plan, std::uint64_t from, std::size_t most, std::vector<Record>& records,
                              std::size_t& bytes);
    void add_mark(std::uint64_t segment, Mark mark);
    void report(std::uint64_t segment, std::uint64_t offset, std::string what);
    void note_damage(std::uint64_t segment, DamagedRange range) REQUIRES_LOCK(mutex_);
    void note_damage(std::uint64_t segment, std::uint64_t offset, std::string what) REQUIRES_LOCK(mutex_);

    // Retention.
    std::optional<std::uint64_t> slowest_consumer() const;
    bool may_drop_oldest(Timestamp now, std::optional<std::uint64_t> slowest) const REQUIRES_LOCK(mutex_);
    void resume_after_full_disk() REQUIRES_LOCK(mutex_);

    // Constant after recover().
    const std::string directory_;
    const Options options_;
    FileSystem& files_;
    std::unique_ptr<File> lock_;
    JournalId id_{};
    std::string identity_;
    std::uint32_t seed_ = 0;

    // The leader's; anyone's under the lock while there is no leader.
    std::unique_ptr<File> active_;   // Null until the next batch makes a new segment.
    std::uint64_t active_size_ = 0;  // Of good bytes.

    mutable Mutex mutex_;
    std::condition_variable_any batch_done_;
    std::vector<Segment> segments_ GUARDED_BY(mutex_);  // In order of sequence; the last one is active_'s.
    std::shared_ptr<Batch> pending_ GUARDED_BY(mutex_) = std::make_shared<Batch>();
    bool leading_ GUARDED_BY(mutex_) = false;
    std::uint64_t next_ GUARDED_BY(mutex_) = 1;     // What the next append gets.
    std::uint64_t written_ GUARDED_BY(mutex_) = 1;  // Records below it may be read.
    std::uint64_t total_bytes_ GUARDED_BY(mutex_) = 0;
    bool new_names_ GUARDED_BY(mutex_) = false;  // The folder has names that are not yet durable.
    std::optional<Error> failed_ GUARDED_BY(mutex_);
    SteadyTime resume_at_ GUARDED_BY(mutex_){};  // When an append looks again whether the disk has room.
    std::vector<Damage> damage_ GUARDED_BY(mutex_);
    std::set<std::pair<std::uint64_t, std::uint64_t>> reported_ GUARDED_BY(mutex_);

    mutable Mutex cursor_mutex_;  // Taken before mutex_ where both are.
    Cursors cursors_ GUARDED_BY(cursor_mutex_);
};

}  // namespace stoker::journal
