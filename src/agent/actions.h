// What a local rule does: runs a program, or posts to a webhook. One after the other on a thread of its own, each with
// a deadline, from a queue of kMostWaiting; what finds it full is not done, and counted.
//
// Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/sync.h"
#include "base/time.h"

namespace stoker::agent {

struct Action {
    std::string rule;              // For logs and metrics.
    std::vector<std::string> run;  // The program and its arguments, no shell; empty: the webhook.
    std::string webhook;           // URL.
    Duration timeout{10'000};
    // The program's environment beside the agent's own, and the members of the webhook's JSON.
    std::vector<std::pair<std::string, std::string>> facts;
};

// Runs a program to its end. Errors: NotFound (it can't be started), DeadlineExceeded (it was killed, with all that it
// started), Unavailable (it ended with another status than 0).
Result<Unit> run_program(const Action& action);
// Posts the facts as a JSON object. Errors: of the connection; Unavailable (another status than 2xx).
Result<Unit> post_webhook(const Action& action);

class Actions {
public:
    static constexpr std::size_t kMostWaiting = 16;

    // REQUIRES: registry outlives it.
    explicit Actions(metrics::Registry& registry);
    ~Actions();  // stop()

    void submit(Action action);
    // Waits for the one under way, at most its timeout; those that wait are not done.
    void stop();

private:
    void work();

    metrics::Family<metrics::Counter>& done_;
    Mutex mutex_;
    std::condition_variable_any wake_;
    std::deque<Action> waiting_ GUARDED_BY(mutex_);
    bool stopping_ GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace stoker::agent
