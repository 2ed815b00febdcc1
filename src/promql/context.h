// What one query carries through its evaluation: the data, its limits, and what it has to say to the user.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "promql/engine.h"
#include "tsdb/querier.h"

namespace stoker::promql {

// An error of evaluation, as against one of the query's text.
Error execution_error(std::string message);

class Context {
public:
    Context(const tsdb::Querier& data, const EngineOptions& limits, std::string_view text, std::int64_t start,
            std::int64_t end, const std::atomic<bool>* cancelled);

    const tsdb::Querier& querier() const { return querier_; }
    const EngineOptions& options() const { return options_; }
    std::int64_t start() const { return start_; }  // What `@ start()` means.
    std::int64_t end() const { return end_; }

    // Call now and then. Errors: DeadlineExceeded, Cancelled.
    Result<Unit> check();

    // Accounts for samples held in memory. Errors: ResourceExhausted.
    Result<Unit> charge(std::uint64_t samples);

    // Said once each; `offset` is a place in the query.
    void warn(std::string_view message, std::size_t offset);
    void inform(std::string_view message, std::size_t offset);
    const std::set<std::string>& warnings() const { return warnings_; }
    const std::set<std::string>& infos() const { return infos_; }

private:
    const tsdb::Querier& querier_;
    const EngineOptions& options_;
    std::string_view query_;
    std::int64_t start_;
    std::int64_t end_;
    const std::atomic<bool>* cancelled_;
    std::chrono::steady_clock::time_point deadline_;
    std::uint64_t samples_ = 0;
    std::set<std::string> warnings_;
    std::set<std::string> infos_;
};

}  // namespace stoker::promql
