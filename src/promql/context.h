// What one query carries through its evaluation: the data, its limits, and what it has to say to the user.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "promql/engine.h"
#include "promql/frame.h"
#include "promql/notes.h"
#include "promql/workers.h"
#include "tsdb/querier.h"

namespace stoker::promql {

// An error of evaluation, as against one of the query's text.
Error execution_error(std::string message);

// Thread-safe, but for the workers, which only the query's own thread may set to work.
class Context {
public:
    Context(const tsdb::Querier& data, const EngineOptions& limits, std::string_view text, Steps steps,
            std::int64_t end, const std::atomic<bool>* cancelled);

    const tsdb::Querier& querier() const { return querier_; }
    const EngineOptions& options() const { return options_; }
    std::int64_t start() const { return steps_.start; }  // What `@ start()` means.
    std::int64_t end() const { return end_; }
    std::int64_t interval() const { return end_ == steps_.start ? 0 : steps_.interval; }  // 0 for instant queries.
    NameRemoval name_removal() const {
        return options_.delayed_name_removal ? NameRemoval::Delayed : NameRemoval::AtOnce;
    }

    // Call now and then. Errors: DeadlineExceeded, Cancelled.
    Result<Unit> check();

    // Accounts for samples held in memory: all together must stay within EngineOptions::max_samples.
    // Errors: ResourceExhausted.
    Result<Unit> charge(std::uint64_t samples);
    // No longer held; more than was charged counts as all of it.
    void discharge(std::uint64_t samples);

    Workers& workers() { return workers_; }

    // Part of the data is missing from the answer, which says so then.
    void unreadable(const Error& error);

    Notes& notes() { return notes_; }
    void warn(std::string_view message, std::size_t place) { notes_.warn(message, place); }
    void inform(std::string_view message, std::size_t place) { notes_.inform(message, place); }
    std::vector<std::string> warnings() const;
    std::vector<std::string> infos() const { return notes_.infos(query_); }

private:
    const tsdb::Querier& querier_;
    const EngineOptions& options_;
    std::string_view query_;
    Steps steps_;
    std::int64_t end_;
    const std::atomic<bool>* cancelled_;
    std::chrono::steady_clock::time_point deadline_;
    std::atomic<std::uint64_t> samples_{0};
    Notes notes_;
    mutable std::mutex mutex_;
    std::set<std::string> unreadable_;  // Guarded by mutex_.
    Workers workers_;
};

}  // namespace stoker::promql
