// A queue between threads that can't grow past its bound.
//
// When it is full, a push is refused (the caller answers 429, or tries later) or takes the oldest element's place
// (fresh samples are worth more than stale ones); either way the loss is counted. Thread-safe.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/sync.h"
#include "base/time.h"

namespace stoker {

enum class WhenFull : std::uint8_t { Refuse, DropOldest };

template <typename T>
class BoundedQueue {
public:
    // REQUIRES: capacity > 0.
    BoundedQueue(std::size_t capacity, WhenFull when_full) : capacity_(capacity), when_full_(when_full) {
        STOKER_CHECK(capacity > 0);
    }

    // Whether the element is in the queue now; false if it was refused or the queue is closed.
    bool push(T element) {
        {
            MutexLock lock(mutex_);
            if (closed_) return false;
            if (elements_.size() == capacity_) {
                ++lost_;
                if (when_full_ == WhenFull::Refuse) return false;
                elements_.pop_front();
            }
            elements_.push_back(std::move(element));
        }
        arrived_.notify_one();
        return true;
    }

    // The oldest element, waited for until `deadline`. Nothing once that has passed, or if the queue is closed and
    // empty.
    std::optional<T> pop(SteadyTime deadline) {
        MutexLock lock(mutex_);
        while (elements_.empty()) {
            if (closed_) return std::nullopt;
            if (arrived_.wait_until(mutex_, deadline) == std::cv_status::timeout && elements_.empty()) {
                return std::nullopt;
            }
        }
        std::optional<T> element(std::move(elements_.front()));
        elements_.pop_front();
        return element;
    }

    // Up to `limit` elements, oldest first, without waiting.
    std::vector<T> drain(std::size_t limit) {
        MutexLock lock(mutex_);
        std::vector<T> taken;
        taken.reserve(std::min(limit, elements_.size()));
        while (taken.size() < limit && !elements_.empty()) {
            taken.push_back(std::move(elements_.front()));
            elements_.pop_front();
        }
        return taken;
    }

    // Refuses pushes from now on and wakes those who wait; what is in the queue can still be taken.
    void close() {
        {
            MutexLock lock(mutex_);
            closed_ = true;
        }
        arrived_.notify_all();
    }

    bool closed() const {
        MutexLock lock(mutex_);
        return closed_;
    }

    std::size_t size() const {
        MutexLock lock(mutex_);
        return elements_.size();
    }

    // How many elements were refused or dropped because the queue was full.
    std::uint64_t lost() const {
        MutexLock lock(mutex_);
        return lost_;
    }

private:
    const std::size_t capacity_;
    const WhenFull when_full_;
    mutable Mutex mutex_;
    std::condition_variable_any arrived_;
    std::deque<T> elements_ GUARDED_BY(mutex_);
    std::uint64_t lost_ GUARDED_BY(mutex_) = 0;
    bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace stoker
