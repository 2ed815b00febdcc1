#include "promql/context.h"

#include <algorithm>

namespace stoker::promql {

Error execution_error(std::string message) {
    return Error{Errc::InvalidArgument, std::move(message), static_cast<std::uint16_t>(Fault::Execution)};
}

Context::Context(const tsdb::Querier& data, const EngineOptions& limits, std::string_view text, Steps steps,
                 std::int64_t end, const std::atomic<bool>* cancelled)
    : querier_(data),
      options_(limits),
      query_(text),
      steps_(steps),
      end_(end),
      cancelled_(cancelled),
      deadline_(std::chrono::steady_clock::now() + limits.timeout),
      workers_(limits.threads) {}

Result<Unit> Context::check() {
    if (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed)) {
        return Error{Errc::Cancelled, "query was canceled in expression evaluation"};
    }
    if (std::chrono::steady_clock::now() >= deadline_) {
        return Error{Errc::DeadlineExceeded, "query timed out in expression evaluation"};
    }
    return Unit{};
}

Result<Unit> Context::charge(std::uint64_t samples) {
    if (samples_.fetch_add(samples, std::memory_order_relaxed) + samples <= options_.max_samples) return Unit{};
    return Error{Errc::ResourceExhausted,
                 "query processing would load too many samples into memory in query execution"};
}

void Context::discharge(std::uint64_t samples) {
    std::uint64_t held = samples_.load(std::memory_order_relaxed);
    while (!samples_.compare_exchange_weak(held, held - std::min(held, samples), std::memory_order_relaxed)) {
    }
}

void Context::unreadable(const Error& error) {
    // Damage tends to be wide; its first examples tell enough.
    constexpr std::size_t kMost = 10;
    const std::lock_guard lock(mutex_);
    if (unreadable_.size() < kMost) unreadable_.insert("part of the data could not be read: " + error.message);
}

std::vector<std::string> Context::warnings() const {
    std::vector<std::string> all = notes_.warnings(query_);
    const std::lock_guard lock(mutex_);
    all.insert(all.end(), unreadable_.begin(), unreadable_.end());
    return all;
}

}  // namespace stoker::promql
