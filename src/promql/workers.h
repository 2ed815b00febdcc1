// The threads of one query. They are started when there is first something to share out, and end with the query.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace stoker::promql {

class Workers {
public:
    // `count` includes the thread that calls run().
    explicit Workers(std::size_t count) : count_(count == 0 ? 1 : count) {}
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    std::size_t count() const { return count_; }

    // Calls work(i) for each i below `parts`, each once, on any of the threads; returns when all are done.
    // REQUIRES: not called from within work; work does not throw.
    void run(std::size_t parts, const std::function<void(std::size_t part)>& work);

private:
    void start();
    void loop();
    void take_parts();

    const std::size_t count_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable work_came_;
    std::condition_variable work_done_;
    std::uint64_t round_ = 0;
    std::size_t busy_ = 0;  // Threads that have not finished this round.
    bool ending_ = false;
    const std::function<void(std::size_t)>* work_ = nullptr;
    std::size_t parts_ = 0;
    std::atomic<std::size_t> next_part_{0};
};

}  // namespace stoker::promql
