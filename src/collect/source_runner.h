// Reads every Source of this process, each on a thread of its own, at its own interval.
//
// One more thread watches the clock and starts the rounds (SourceRounds), so it also notices one that does not come
// back: that is logged once, shown in stoker_source_hung, and delays nobody else. Sources come and go while it runs.
// What a source writes passes a gate that remove() and stop() close: afterwards a thread that is stuck in a driver may
// come back whenever it likes, and reaches nothing.
//
// Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/sync.h"
#include "collect/sample_sink.h"
#include "collect/source.h"
#include "collect/source_rounds.h"

namespace stoker::collect {

class SourceRunner {
public:
    // `prepare_thread` is called first on each thread that it starts (a priority, say); empty: nothing.
    // REQUIRES: `sink` and `registry` live until stop() has returned; `sink` is thread-safe and never waits for long.
    SourceRunner(SampleSink& sink, metrics::Registry& registry, std::function<void()> prepare_thread = {});
    ~SourceRunner();  // stop()

    // Reads it from now on, the first time at once. The source must own what it touches: it lives as long as its
    // thread, which may outlive the runner. Errors: Conflict, a source of that name is there, or one was removed whose
    // last round still hangs; Cancelled after stop().
    Result<Unit> add(std::shared_ptr<Source> source, SourceSchedule schedule);

    // Nothing of it reaches the sink when this returns; its own metrics are gone. False: there is none of that name.
    bool remove(std::string_view name);

    // Waits at most `limit` for rounds under way, then leaves those behind. Nothing reaches the sink or the registry
    // when it returns. Returns how many were left behind.
    std::size_t stop(Duration limit = Duration{2'000});

private:
    struct Lane;
    struct Meters;

    void watch();
    void leave(const std::shared_ptr<Lane>& lane) REQUIRES_LOCK(mutex_);
    void join_those_that_left() REQUIRES_LOCK(mutex_);

    SampleSink& sink_;
    metrics::Registry& registry_;
    const std::function<void()> prepare_thread_;

    Mutex mutex_;
    std::condition_variable_any wake_;
    std::map<std::string, std::shared_ptr<Lane>, std::less<>> lanes_ GUARDED_BY(mutex_);
    std::vector<std::shared_ptr<Lane>> leaving_ GUARDED_BY(mutex_);  // Removed, their threads not yet ended.
    bool stopping_ GUARDED_BY(mutex_) = false;
    std::thread watcher_;
};

}  // namespace stoker::collect
