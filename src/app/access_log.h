// The access log: one line of JSON for each request, as docs/format/records.md has it, in a file of the operator's.
//
// Lines come from the journal, so none is lost by a crash, and the last ones may then stand there twice. A file that
// was moved away (logrotate) is made anew. configure() is thread-safe; write() is for one thread.
#pragma once

#include <cstdint>
#include <string>

#include "app/journal_place.h"
#include "base/metrics.h"
#include "base/sync.h"

namespace stoker::app {

class AccessLog {
public:
    // All outlive it.
    AccessLog(journal::Journal& journal, state::StateStore& state, metrics::Registry& registry);
    ~AccessLog();
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;

    // Empty: none; "-": standard output.
    void configure(std::string path);

    // Writes what came since the last call.
    void write();

private:
    std::string path() const;
    Result<Unit> open(const std::string& path);
    Result<Unit> append(std::span<const journal::Record> records);
    void close();

    JournalPlace place_;
    metrics::Counter& lines_;
    metrics::Counter& failures_;
    mutable Mutex mutex_;
    std::string path_ GUARDED_BY(mutex_);

    // Of the writing thread.
    std::string open_path_;
    int file_ = -1;
    std::uint64_t inode_ = 0;
    bool failing_ = false;
};

}  // namespace stoker::app
