#include "promql/context.h"

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
      deadline_(std::chrono::steady_clock::now() + limits.timeout) {}

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
    samples_ += samples;
    if (samples_ <= options_.max_samples) return Unit{};
    return Error{Errc::ResourceExhausted,
                 "query processing would load too many samples into memory in query execution"};
}

}  // namespace stoker::promql
