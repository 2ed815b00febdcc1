// The active side of health: one coroutine for each replica that asks /health, watches for progress, and, after a
// stall, asks the model itself.
//
// Thread-safe. Probers hold the Core; stop() ends them and waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "gateway/core.h"

namespace stoker::gateway {

class Probers {
public:
    explicit Probers(std::shared_ptr<Core> core);

    // Starts probing the replicas of this table that are not probed yet, with its options, and ends the others'.
    void follow(const RouteTable& table);
    // Ends all and waits, at most `limit`.
    void stop(Duration limit);

private:
    struct Probing;
    struct Living;

    static boost::asio::awaitable<void> run(std::shared_ptr<Core> core, std::shared_ptr<Probing> probing);
    void end(const std::shared_ptr<Probing>& probing);

    const std::shared_ptr<Core> core_;
    const std::shared_ptr<Living> living_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Probing>> by_id_;  // Guarded by mutex_.
    std::size_t next_loop_ = 0;                              // Guarded by mutex_.
};

}  // namespace stoker::gateway
