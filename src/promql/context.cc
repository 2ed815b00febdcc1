#include "promql/context.h"

#include "promql/token.h"

namespace stoker::promql {

Error execution_error(std::string message) {
    return Error{Errc::InvalidArgument, std::move(message), static_cast<std::uint16_t>(Fault::Execution)};
}

Context::Context(const tsdb::Querier& data, const EngineOptions& limits, std::string_view text, std::int64_t start,
                 std::int64_t end, const std::atomic<bool>* cancelled)
    : querier_(data),
      options_(limits),
      query_(text),
      start_(start),
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

void Context::warn(std::string_view message, std::size_t offset) {
    warnings_.insert("PromQL warning: " + std::string(message) + " (" + place_of(query_, offset) + ")");
}

void Context::inform(std::string_view message, std::size_t offset) {
    infos_.insert("PromQL info: " + std::string(message) + " (" + place_of(query_, offset) + ")");
}

}  // namespace stoker::promql
