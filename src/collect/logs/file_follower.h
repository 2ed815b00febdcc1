// Follows log files: finds them by pattern, reads what is appended, and remembers how far across restarts.
//
// A file is known by its inode and its first bytes, not by its name: renamed, it is read to its end under its old
// service; what appears under its name is a new file, read from its beginning. A file that is emptied or copied and cut
// is read from its beginning again. The place is saved after the sink has the lines: SIGKILL in between has the last
// batch read twice, never not at all. What the sink does not take is read again at the next poll, so files wait on disk
// while it is full.
//
// Not thread-safe; poll() blocks as the file system does.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "collect/logs/entry_builder.h"
#include "collect/logs/file_tail.h"
#include "collect/logs/log_entry.h"
#include "collect/logs/positions.h"

namespace stoker::collect {

struct FollowSpec {
    std::vector<std::string> paths;    // glob(7) patterns.
    std::vector<std::string> exclude;  // fnmatch(3) patterns of whole paths.
    std::string service;               // Empty: the container's or the file's name.
    std::optional<LogFormat> format;
    JoinOptions join;
    bool from_beginning = false;  // Files that are there when it is first followed: else only what comes.
    LogEntry::Attributes attributes;
};

struct FollowerOptions {
    std::vector<FollowSpec> specs;
    std::string positions_file;                     // Empty: places are not kept.
    std::size_t max_line = std::size_t{256} << 10;  // Longer lines are cut.
    std::size_t max_bytes_per_poll = std::size_t{16} << 20;
    std::size_t max_files = 2000;
    Duration scan_interval{1'000};  // Between two looks for new files.
};

class FileFollower {
public:
    // REQUIRES: `sink` and `registry` outlive it.
    FileFollower(FollowerOptions options, LogSink& sink, metrics::Registry& registry);
    ~FileFollower();

    // Reads what there is, up to max_bytes_per_poll, and saves the places. `last` is the call before an end: entries
    // that wait for more lines are handed on as they are.
    void poll(SteadyTime now, bool last = false);

    std::size_t files() const { return files_.size(); }

private:
    struct Followed;

    void load_positions();
    void save_positions();
    void scan(SteadyTime now);
    void follow(const std::string& path, const FollowSpec& spec);
    void follow_renamed();
    // Files that had the name of `file` since the last scan and have lost it again: rotation faster than polls.
    void follow_passed(const Followed& file);
    // Bytes read. `ended`: nobody will write to it any more.
    std::size_t read(Followed& file, std::size_t budget, SteadyTime now, bool last, bool ended);
    bool deliver(Followed& file, std::vector<LogEntry> entries);
    bool moved(const Followed& file) const;
    EntryOptions entry_options(const std::string& path, const FollowSpec& spec) const;

    const FollowerOptions options_;
    LogSink& sink_;
    metrics::Counter& lines_cut_;
    metrics::Counter& truncations_;
    metrics::Counter& errors_;
    metrics::Gauge& followed_;
    metrics::Gauge& lag_;

    std::map<FileId, std::unique_ptr<Followed>> files_;
    std::map<FileId, FilePosition> known_;  // From before, of files that were not met again yet.
    std::set<std::string> known_paths_;
    std::deque<Fingerprint> copied_;    // Of files as they were before they were cut, the newest.
    std::set<std::string> complained_;  // Paths whose error is logged already.
    std::string saved_;                 // As it stands in the file.
    bool first_scan_ = true;
    SteadyTime scanned_{};
    std::int64_t scanned_at_ns_ = 0;  // By the wall clock, as files have it.
};

}  // namespace stoker::collect
