#include "promql/gate.h"

#include <algorithm>

namespace stoker::promql {

namespace {

// How soon a query that waits notices that its client has gone.
constexpr std::chrono::milliseconds kLook{50};

}  // namespace

Result<QueryGate::Place> QueryGate::enter(std::chrono::steady_clock::time_point deadline,
                                          const std::atomic<bool>* cancelled) {
    std::unique_lock lock(mutex_);
    while (running_ >= most_) {
        if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) {
            return Error{Errc::Cancelled, "query was canceled in query queue"};
        }
        const auto now = std::chrono::steady_clock::now();
        if (now >= deadline) return Error{Errc::DeadlineExceeded, "query timed out in query queue"};
        left_.wait_until(lock, std::min(deadline, now + kLook));
    }
    ++running_;
    return Place(*this);
}

void QueryGate::leave() {
    {
        const std::lock_guard lock(mutex_);
        --running_;
    }
    left_.notify_one();
}

std::size_t QueryGate::running() const {
    const std::lock_guard lock(mutex_);
    return running_;
}

}  // namespace stoker::promql
