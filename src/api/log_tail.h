// Lines of log as they come in, for those who follow them: each follower has a filter and a bounded queue of its own
// that loses its oldest when a slow reader lets it fill, and is told how many.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/sync.h"
#include "records/log_query.h"

namespace stoker::api {

class LogSubscription {
public:
    explicit LogSubscription(records::LogFilter filter) : filter_(std::move(filter)) {}

    // All lines since the last call as server-sent events, "log" each, and one "lost" where some were; empty if there
    // were none.
    std::string take();

private:
    friend class LogTail;
    void offer(const records::LogRow& row);

    static constexpr std::size_t kMostLines = 2000;
    const records::LogFilter filter_;
    Mutex mutex_;
    std::deque<std::string> lines_ GUARDED_BY(mutex_);
    std::uint64_t lost_ GUARDED_BY(mutex_) = 0;
};

class LogTail {
public:
    void publish(std::span<const records::LogRow> rows);
    std::shared_ptr<LogSubscription> subscribe(records::LogFilter filter);

private:
    Mutex mutex_;
    std::vector<std::weak_ptr<LogSubscription>> subscriptions_ GUARDED_BY(mutex_);
    std::atomic<bool> anybody_{false};
};

}  // namespace stoker::api
