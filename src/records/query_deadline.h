// Ends a query that takes too long.
#pragma once

#include <chrono>
#include <condition_variable>
#include <thread>

#include "base/sync.h"
#include "base/time.h"
#include "records/duck.h"

namespace stoker::records {

// Interrupts the connection when the time is over, and again until it is destroyed: an interruption that comes between
// two steps of DuckDB is forgotten by it.
class QueryDeadline {
public:
    QueryDeadline(duck::Connection& connection, SteadyTime deadline)
        : connection_(connection), deadline_(deadline), thread_([this] { watch(); }) {}
    ~QueryDeadline() {
        {
            MutexLock lock(mutex_);
            done_ = true;
        }
        wake_.notify_all();
        thread_.join();
    }
    QueryDeadline(const QueryDeadline&) = delete;
    QueryDeadline& operator=(const QueryDeadline&) = delete;

private:
    static constexpr std::chrono::milliseconds kAgain{20};

    void watch() {
        MutexLock lock(mutex_);
        SteadyTime next = deadline_;
        while (!done_) {
            if (std::chrono::steady_clock::now() >= next) {
                connection_.interrupt();
                next = std::chrono::steady_clock::now() + kAgain;
            }
            wake_.wait_until(mutex_, next);
        }
    }

    duck::Connection& connection_;
    const SteadyTime deadline_;
    Mutex mutex_;
    std::condition_variable_any wake_;
    bool done_ GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace stoker::records
