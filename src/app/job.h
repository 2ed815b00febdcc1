// A background job: a function called again and again on a thread of its own, with a name and a metric, until stop().
// Its thread gives way to those that carry traffic.
#pragma once

#include <condition_variable>
#include <functional>
#include <string>
#include <thread>

#include "base/metrics.h"
#include "base/sync.h"
#include "base/time.h"

namespace stoker::app {

// Makes the calling thread, and those that it starts, give way to the event loops when the cores are full.
void yield_to_traffic();

class Job {
public:
    // Calls `work` every `interval`, the first time after one. What it throws is logged and counted.
    Job(std::string name, Duration interval, std::function<void()> work, metrics::Registry& registry);
    ~Job();  // stop()
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    // Waits for the call under way.
    void stop();

private:
    void run();
    void call();

    const std::string name_;
    const Duration interval_;
    const std::function<void()> work_;
    metrics::Histogram& seconds_;
    metrics::Counter& failures_;
    Mutex mutex_;
    std::condition_variable_any wake_;
    bool stopping_ GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace stoker::app
