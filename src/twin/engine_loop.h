// Runs a Scheduler in real time on one loop, and tells each session about its tokens on the session's own loop.
//
// submit() and cancel() may be called from any thread; everything else happens on the engine's loop.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <unordered_map>
#include <vector>

#include "twin/engine_metrics.h"
#include "twin/scheduler.h"

namespace stoker::twin {

// Where a session learns how many of its tokens exist. Touched only on the session's loop.
struct TokenFeed {
    explicit TokenFeed(boost::asio::any_io_executor loop) : executor(loop), wake(loop) {}

    const boost::asio::any_io_executor executor;
    boost::asio::steady_timer wake;  // Cancelled at each change.
    std::uint32_t available = 0;
};

// What the faults that are on now do to the whole engine.
struct EngineCondition {
    bool faulty = false;  // Some are set. They begin and end by the clock, so the engine must look again soon.
    bool hung = false;
    double slowdown = 1;
    double kv_withheld = 0;
};

class EngineLoop : public std::enable_shared_from_this<EngineLoop> {
public:
    using Watch = std::function<EngineCondition()>;  // Thread-safe; asked before each step.

    EngineLoop(boost::asio::io_context& loop, const Profile& profile, EngineMetrics& metrics, Watch watch);

    void start();
    // Ends the work; whoever waits for tokens gets no more. REQUIRES: called from no loop.
    void stop();

    // `generates`: false for embeddings, whose one step makes no token that counts.
    void submit(SequenceSpec spec, EngineMetrics::Reason reason, std::shared_ptr<TokenFeed> feed, bool generates);
    void cancel(SequenceId id);
    // Something changed that no step tells: faults, for one.
    void nudge();

private:
    struct Request {
        std::shared_ptr<TokenFeed> feed;
        EngineMetrics::Reason reason;
        std::uint32_t prompt_tokens = 0;
        bool generates = true;
        std::uint32_t tokens = 0;
        EngineMetrics::Times times;
    };

    static boost::asio::awaitable<void> run(std::shared_ptr<EngineLoop> self);
    void step();
    void deliver(const SchedulerEvent& event);
    void show();

    boost::asio::io_context& loop_;
    EngineMetrics& metrics_;
    const Watch watch_;

    // Touched only on loop_.
    Scheduler scheduler_;
    SchedulerStats shown_;
    std::unordered_map<SequenceId, Request> requests_;
    std::vector<SchedulerEvent> events_;
    boost::asio::steady_timer timer_;

    std::atomic<bool> stopping_{false};
    std::promise<void> ended_;
};

}  // namespace stoker::twin
