#include "net/loops.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <exception>

#include "base/log.h"

namespace stoker::net {
namespace {

std::size_t default_count() {
    return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4);
}

// Runs until stopped, with work or without. What throws here is a bug in one job; the others on this loop go on.
void run(boost::asio::io_context& loop) {
    auto guard = boost::asio::make_work_guard(loop);
    while (!loop.stopped()) {
        try {
            loop.run();
        } catch (const std::exception& e) {
            log::error("exception on an event loop", {{"what", e.what()}});
        }
    }
}

}  // namespace

Loops::Loops(std::size_t count) {
    if (count == 0) count = default_count();
    // The hint says that one thread runs each loop; posting from others stays safe.
    while (contexts_.size() < count) contexts_.push_back(std::make_unique<Context>(1));
}

Loops::~Loops() {
    stop();
    // What waits on one loop may be the last to hold what lives on another.
    for (auto& loop : contexts_) loop->shutdown();
}

void Loops::start() {
    if (running_) return;
    running_ = true;
    for (auto& loop : contexts_) loop->restart();
    for (auto& loop : contexts_) threads_.emplace_back(run, std::ref(*loop));
}

void Loops::stop() {
    for (auto& loop : contexts_) loop->stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    running_ = false;
}

boost::asio::io_context& Loops::next() {
    return at(turn_.fetch_add(1, std::memory_order_relaxed) % contexts_.size());
}

}  // namespace stoker::net
