// How many queries may run at a time. Those past it wait for their turn, no longer than their own timeout.
//
// Thread-safe; shared by all engines that are to count together (EngineOptions::gate).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

#include "base/result.h"

namespace stoker::promql {

class QueryGate {
public:
    explicit QueryGate(std::size_t most) : most_(most == 0 ? 1 : most) {}

    // A place among the running queries, given back when this goes.
    class Place {
    public:
        Place() = default;
        explicit Place(QueryGate& gate) : gate_(&gate) {}
        Place(Place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
        Place& operator=(Place&& other) noexcept {
            std::swap(gate_, other.gate_);
            return *this;
        }
        ~Place() {
            if (gate_ != nullptr) gate_->leave();
        }

    private:
        QueryGate* gate_ = nullptr;
    };

    // Errors: DeadlineExceeded, Cancelled.
    Result<Place> enter(std::chrono::steady_clock::time_point deadline, const std::atomic<bool>* cancelled);

    std::size_t running() const;

private:
    void leave();

    const std::size_t most_;
    mutable std::mutex mutex_;
    std::condition_variable left_;
    std::size_t running_ = 0;
};

}  // namespace stoker::promql
