// Follows systemd's journal through `journalctl -o json --follow`, a child process.
//
// Goes on from the cursor of the last entry that the sink took. While the sink takes nothing, journalctl waits at its
// pipe and the journal keeps the entries. A child that ends is started again after a pause. Not thread-safe; start()
// is called once, poll() never waits longer than it is told.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "collect/logs/log_entry.h"

namespace stoker::collect {

struct JournaldOptions {
    std::vector<std::string> units{};  // Empty: all of them, and the kernel.
    std::string directory{};           // Of the journal's files; empty: this machine's.
    std::string cursor_file{};         // Empty: places are not kept.
    std::size_t max_line = std::size_t{1} << 20;
};

// The child's command line. `cursor`: go on after it; empty: only what comes.
std::vector<std::string> journalctl_command(const JournaldOptions& options, const std::string& cursor);

class JournaldFollower {
public:
    // REQUIRES: `sink` and `registry` outlive it.
    JournaldFollower(JournaldOptions options, LogSink& sink, metrics::Registry& registry);
    ~JournaldFollower();  // Ends the child.

    // Reads what the child wrote, for at most `limit`.
    void poll(SteadyTime now, Duration limit);

private:
    void start(SteadyTime now);
    void end(const char* why);
    void take(std::string_view bytes);
    bool deliver();

    const JournaldOptions options_;
    LogSink& sink_;
    metrics::Counter& unreadable_;
    metrics::Counter& starts_;
    pid_t child_ = -1;
    int pipe_ = -1;
    std::string rest_;  // Of a line whose end has not come.
    bool skipping_ = false;
    std::string cursor_;  // Of the last entry that the sink took.
    std::string pending_cursor_;
    std::vector<LogEntry> entries_;
    SteadyTime not_before_{};
};

}  // namespace stoker::collect
