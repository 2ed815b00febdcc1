// The journal: an append-only log of records in checksummed segments, read by named consumers that remember their
// place. The embedded stand-in for a message bus. Format: docs/format/journal.md.
//
// An append that returned survives SIGKILL; with Durability::Fsync, power loss. Appends that come at the same moment
// are written together by one of the callers. Opening cuts a torn tail and reports any other damage, which is skipped,
// never served. After a failed write the journal refuses appends and says so in health(); reading goes on. Thread-safe.
// Appending takes microseconds (a disk sync with Fsync); reading and committing belong off event loops.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "base/time.h"

namespace stoker::journal {

class FileSystem;

enum class Durability : std::uint8_t { Process, Fsync };

struct Options {
    std::uint64_t segment_bytes = 64ull * 1024 * 1024;
    std::uint64_t retain_bytes = 4ull * 1024 * 1024 * 1024;  // Oldest segments that every consumer has passed go first.
    Duration retain_for{7LL * 24 * 3600 * 1000};
    std::size_t max_record_bytes = 16 * 1024 * 1024;
    Durability durability = Durability::Process;
};

// What a record is about; the number stands on disk and never changes its meaning.
enum class Kind : std::uint16_t {
    Request = 1,
    Incident = 2,
    Action = 3,
    Audit = 4,
    Samples = 5,
    Spans = 6,
    Logs = 7,
    Event = 8
};

struct Record {
    std::uint64_t sequence = 0;  // From 1; gaps only where damage was reported.
    Timestamp time{};
    Kind kind{};
    std::string payload{};
};

struct Entry {
    Kind kind{};
    std::string_view payload{};
    Timestamp time{};
};

struct Damage {
    std::string segment{};
    std::uint64_t offset = 0;
    std::string what{};
};

class Journal {
public:
    // Makes the folder if there is none. Errors: Conflict (another process holds it, or a newer version wrote it), and
    // whatever keeps the files from being read.
    static Result<std::unique_ptr<Journal>> open(const std::string& directory, Options options);
    // The same on other files. REQUIRES: `files` outlives the journal.
    static Result<std::unique_ptr<Journal>> open(const std::string& directory, Options options, FileSystem& files);
    virtual ~Journal() = default;

    // Returns the record's sequence. Errors: ResourceExhausted (too large, disk full), Unavailable (after a failed
    // write).
    virtual Result<std::uint64_t> append(Kind kind, std::string_view payload, Timestamp time) = 0;
    // Several with one write; the sequence of the last. All are in the journal or, after an error, none is. REQUIRES:
    // at least one.
    virtual Result<std::uint64_t> append_all(std::span<const Entry> entries) = 0;

    // Up to `most` records with sequence >= `from`, in order; fewer or none at the end.
    // Stops after 4 MiB as well (never before one record). Errors: Unavailable (the disk).
    virtual Result<std::vector<Record>> read(std::uint64_t from, std::size_t most) = 0;

    // Makes every append that has returned survive the loss of power.
    virtual Result<Unit> sync() = 0;

    // 32 hex digits made up when the journal was created: sequences are comparable only within one identity.
    virtual const std::string& identity() const = 0;

    virtual std::uint64_t first_sequence() const = 0;  // Oldest still kept.
    virtual std::uint64_t next_sequence() const = 0;   // What the next append will get.

    // A consumer's place: the next sequence it wants. 1 (or the oldest kept) if it was never committed. Durable.
    virtual std::uint64_t cursor(const std::string& consumer) const = 0;
    virtual Result<Unit> commit(const std::string& consumer, std::uint64_t next) = 0;
    // Whether it was ever committed.
    virtual bool has_cursor(const std::string& consumer) const = 0;
    virtual std::vector<std::string> consumers() const = 0;  // All that were.
    // It is no consumer any more, and holds nothing back. Nothing happens if it was none. Durable.
    virtual Result<Unit> forget(const std::string& consumer) = 0;

    // Copies everything appended so far, and the consumers' places, into a new folder that open() takes, durable when
    // it returns. Appends go on meanwhile. Errors: Unavailable, ResourceExhausted (the disk).
    virtual Result<Unit> copy_to(const std::string& directory) = 0;

    // Removes whole segments, oldest first, never the one being written: those older than retain_for that every
    // consumer with a cursor has passed, and, passed or not, those that exceed retain_bytes. After a full disk, appends
    // are allowed again from here on. Call it every minute or so.
    virtual void enforce_retention(Timestamp now) = 0;

    virtual std::vector<Damage> damage() const = 0;  // Found when opening, and since then when reading.
    virtual Result<Unit> health() const = 0;         // The error that made appends stop.
    virtual std::uint64_t bytes() const = 0;
};

}  // namespace stoker::journal
