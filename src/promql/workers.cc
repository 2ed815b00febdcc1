#include "promql/workers.h"

namespace stoker::promql {

Workers::~Workers() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    work_came_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Workers::run(std::size_t parts, const std::function<void(std::size_t)>& work) {
    if (count_ == 1 || parts < 2) {
        for (std::size_t part = 0; part < parts; ++part) work(part);
        return;
    }
    if (threads_.empty()) start();
    {
        const std::lock_guard lock(mutex_);
        work_ = &work;
        parts_ = parts;
        next_part_.store(0, std::memory_order_relaxed);
        busy_ = threads_.size();
        ++round_;
    }
    work_came_.notify_all();
    take_parts();
    std::unique_lock lock(mutex_);
    work_done_.wait(lock, [this] { return busy_ == 0; });
}

void Workers::start() {
    for (std::size_t i = 1; i < count_; ++i) threads_.emplace_back([this] { loop(); });
}

void Workers::loop() {
    std::uint64_t seen = 0;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            work_came_.wait(lock, [&] { return ending_ || round_ != seen; });
            if (ending_) return;
            seen = round_;
        }
        take_parts();
        const std::lock_guard lock(mutex_);
        if (--busy_ == 0) work_done_.notify_one();
    }
}

void Workers::take_parts() {
    for (;;) {
        const std::size_t part = next_part_.fetch_add(1, std::memory_order_relaxed);
        if (part >= parts_) return;
        (*work_)(part);
    }
}

}  // namespace stoker::promql
