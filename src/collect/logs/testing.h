// What the tests of logs share: a sink that remembers, and may refuse.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "collect/logs/log_entry.h"

namespace stoker::collect::testing {

// Thread-safe.
class RememberingLogSink : public LogSink {
public:
    Result<Unit> append(std::vector<LogEntry> entries) override {
        std::lock_guard lock(mutex_);
        if (full_) return Error{Errc::ResourceExhausted, "full"};
        for (auto& entry : entries) entries_.push_back(std::move(entry));
        return Unit{};
    }
    void set_full(bool full) {
        std::lock_guard lock(mutex_);
        full_ = full;
    }
    std::vector<LogEntry> take() {
        std::lock_guard lock(mutex_);
        return std::exchange(entries_, {});
    }
    // The bodies, joined by '|'.
    std::string take_bodies() {
        std::string out;
        for (const LogEntry& entry : take()) out += (out.empty() ? "" : "|") + entry.body;
        return out;
    }

private:
    std::mutex mutex_;
    std::vector<LogEntry> entries_;
    bool full_ = false;
};

}  // namespace stoker::collect::testing
