#include "app/job.h"

#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

namespace stoker::app {

void yield_to_traffic() {
    // On Linux a thread has a nice value of its own. Failing leaves everything as it was.
    constexpr int kNice = 10;
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
}

Job::Job(std::string name, Duration interval, std::function<void()> work, metrics::Registry& registry)
    : name_(std::move(name)),
      interval_(interval),
      work_(std::move(work)),
      seconds_(registry
                   .histogram("stoker_job_duration_seconds", "How long each run of a background job took.", {"job"},
                              {0.0001, 0.001, 0.01, 0.1, 1, 10})
                   .with({name_})),
      failures_(registry.counter("stoker_job_failures_total", "Runs of a background job that failed.", {"job"})
                    .with({name_})),
      thread_([this] { run(); }) {}

Job::~Job() {
    stop();
}

void Job::stop() {
    {
        MutexLock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Job::run() {
    yield_to_traffic();
    auto due = std::chrono::steady_clock::now() + interval_;
    mutex_.lock();
    while (!stopping_) {
        if (std::chrono::steady_clock::now() < due) {
            wake_.wait_until(mutex_, due);
            continue;
        }
        mutex_.unlock();
        call();
        due = std::chrono::steady_clock::now() + interval_;
        mutex_.lock();
    }
    mutex_.unlock();
}

void Job::call() {
    auto start = std::chrono::steady_clock::now();
    try {
        work_();
    } catch (const std::exception& bug) {
        failures_.add();
        log::error("job failed", {{"job", name_}, {"what", bug.what()}});
    }
    seconds_.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace stoker::app
