// The event loops: N threads, each with one io_context that nobody else runs. A connection lives and dies on one loop,
// so sessions need neither strands nor locks.
//
// Thread-safe where it says so.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "base/result.h"

namespace stoker::net {

class Loops {
public:
    // Makes `count` loops; 0 takes min(cores, 4). Threads start with start().
    explicit Loops(std::size_t count);
    ~Loops();  // stop(); what still waits is dropped while all loops are there.
    Loops(const Loops&) = delete;
    Loops& operator=(const Loops&) = delete;

    void start();
    // Ends all loops and joins their threads; what still waits on them is dropped.
    void stop();

    std::size_t size() const { return contexts_.size(); }
    boost::asio::io_context& at(std::size_t index) { return *contexts_[index]; }
    // The loops in turn, for jobs that belong to none. Thread-safe.
    boost::asio::io_context& next();

private:
    class Context : public boost::asio::io_context {
    public:
        using io_context::io_context;
        using io_context::shutdown;
    };

    std::vector<std::unique_ptr<Context>> contexts_;
    std::vector<std::thread> threads_;
    std::atomic<std::size_t> turn_{0};
    bool running_ = false;
};

}  // namespace stoker::net
