// One request's way through the replicas of one step's pool: which is tried next, after what wait, and when to give up.
//
// Until the client's first byte it goes from replica to replica, at once, as long as there is one that was not tried;
// then the same again after a wait that doubles. Each retry is taken out of the pool's budget. Lives in the request's
// frame.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/request_context.h"
#include "gateway/upstream/attempt.h"

namespace stoker::gateway {

// Why a step of the plan did not answer: what to tell the client if no other step does.
struct GiveUp {
    GatewayError error{};
    std::string message;
    Duration retry_after{2'000};  // Long enough for a replica to be found alive again, or another one.
    std::optional<FallbackCause> cause;
    std::optional<HeldAnswer> held;  // The model's own answer, which is told instead.
};

class Journey {
public:
    // Both outlive it.
    Journey(RequestContext& context, const StreamProgress& progress);
    ~Journey();
    Journey(const Journey&) = delete;
    Journey& operator=(const Journey&) = delete;

    // The next replica to try; empty if trying on makes no sense. May wait before it gives one that was tried already,
    // and, where the pool has a queue, for one that rests.
    boost::asio::awaitable<std::optional<std::size_t>> next();
    // The one that next() gave is out, and this attempt finds out whether it is well again.
    bool on_trial() const { return trial_; }

    // Another one to send the request to beside the one that next() gave last; empty if there is none that serves, the
    // request had its hedge, or the pool's budget for hedges is spent.
    std::optional<std::size_t> second();

    void note(AttemptResult result);
    // The answer that was under way goes on elsewhere: as a request of its own, but not on the replica that broke off.
    void go_on(AttemptResult result);
    SteadyTime deadline() const { return deadline_; }

    GiveUp give_up();

private:
    std::vector<std::size_t> unfit() const;
    void note_rest();
    std::optional<std::size_t> pick();
    std::optional<std::size_t> pick_among(std::vector<std::size_t> excluded);
    bool all_tried() const { return tried_.size() >= pool_.targets.size(); }
    bool worth_waiting() const;
    boost::asio::awaitable<void> wait_for_rested();
    bool within_budget();
    Duration wait();
    GiveUp nobody_serves() const;
    GiveUp all_rest() const;

    RequestContext& context_;
    const Pool& pool_;
    const StreamProgress& progress_;
    const SteadyTime deadline_;
    std::vector<std::size_t> tried_;
    std::vector<std::shared_ptr<Replica>> suspects_;  // They said 500: their fault if another one did better.
    std::optional<AttemptResult> last_;
    int attempts_ = 0;
    int waits_ = 0;
    // What is left of the shortest rest, where all that serve asked to be left alone, and whether by a 429.
    struct Rest {
        Duration left{};
        bool rate_limited = false;
    };
    std::optional<Rest> rest_;
    bool trial_ = false;
    bool hedged_ = false;
    bool out_of_budget_ = false;
};

}  // namespace stoker::gateway
