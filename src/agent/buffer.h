// What was collected and is not delivered yet: a journal on disk, read by one named reader a destination.
//
// A batch is a record of its own and in the file when append() returns, so the death of the process loses none. The
// buffer is bounded in bytes (whole segments go, oldest first) and in age. Age is measured by the steady clock: a step
// of the wall clock neither expires anything nor keeps it. What a reader misses through either bound is counted for it.
//
// Thread-safe. Appending writes to the page cache; reading and keeping belong off event loops.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/sync.h"
#include "base/time.h"
#include "collect/send/remote_write_sender_record.h"
#include "journal/file_system.h"
#include "journal/journal.h"

namespace stoker::agent {

using Records = std::vector<std::shared_ptr<const collect::QueuedRecord>>;

struct BufferOptions {
    std::uint64_t max_bytes = std::uint64_t{1} << 30;
    Duration max_age{24LL * 3600 * 1000};
};

// What both clocks say at one moment.
struct Moment {
    Timestamp wall;
    SteadyTime steady;
};

class Buffer {
public:
    // Errors: as of Journal::open. REQUIRES: registry and files outlive it.
    static Result<std::unique_ptr<Buffer>> open(const std::string& directory, BufferOptions options, Moment now,
                                                metrics::Registry& registry,
                                                journal::FileSystem& files = journal::real_file_system());

    // A batch that the disk does not take is lost and counted.
    void append(const std::vector<tsdb::SeriesSample>& samples, Moment now);

    struct Read {
        Records records;
        std::uint64_t next = 0;  // Where to read on.
    };
    // Up to `most` records that are not too old, from `from` on. Counts what `reader` missed, each record once however
    // often it reads again. Errors: Unavailable.
    Result<Read> read(const std::string& reader, std::uint64_t from, std::size_t most, SteadyTime now);

    // A reader's place, kept on disk. For one that is new it is the oldest record there is.
    std::uint64_t place(const std::string& reader) const { return journal_->cursor(reader); }
    Result<Unit> keep_place(const std::string& reader, std::uint64_t next) { return journal_->commit(reader, next); }

    // Forgets the places of all other readers: a destination that the configuration names no more holds nothing back.
    Result<Unit> keep_only(const std::vector<std::string>& readers);

    // Removes what is delivered or past the bounds, and lets appends begin again after a full disk. Call it every ten
    // seconds or so.
    void tidy(Moment now);

    std::uint64_t end() const { return journal_->next_sequence(); }
    std::uint64_t bytes() const { return journal_->bytes(); }
    Result<Unit> health() const { return journal_->health(); }

private:
    // Records before `end`, as far as they are in no earlier span: none was appended after `newest`.
    struct Span {
        std::uint64_t end;
        SteadyTime newest;
    };

    Buffer(std::unique_ptr<journal::Journal> journal, BufferOptions options, metrics::Registry& registry);
    void note_what_is_there(Moment now);
    // Records from `from` up to `to` will never be read.
    void count_missed(const std::string& reader, const char* reason, std::uint64_t from, std::uint64_t to);
    // Records before the result are too old.
    std::uint64_t expired(SteadyTime now);

    const std::unique_ptr<journal::Journal> journal_;
    const BufferOptions options_;
    metrics::Family<metrics::Counter>& missed_;
    metrics::Counter& unbuffered_;
    metrics::Gauge& bytes_;

    Mutex mutex_;
    std::deque<Span> spans_ GUARDED_BY(mutex_);
    SteadyTime span_began_ GUARDED_BY(mutex_) = SteadyTime::min();
    std::uint64_t expired_ GUARDED_BY(mutex_) = 0;
    std::map<std::string, std::uint64_t> counted_ GUARDED_BY(mutex_);  // By reader: missed records before this one.
    bool failing_ GUARDED_BY(mutex_) = false;
};

}  // namespace stoker::agent
