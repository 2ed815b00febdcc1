// When the next request of a reader goes out, to which of its destinations, and how much of the buffer is in it.
//
// A pure state machine; time is an argument. One request is out at a time, so samples arrive in order. Requests leave
// every `interval`; a backlog leaves at once, but never faster than `catch_up` samples a second, so that a server that
// comes back is not flooded by all agents it missed. A request that may succeed later is tried again, after a pause
// that doubles. With several destinations the same request goes to the next one after `switch_after` of failures, and
// the first is tried again every `return_every`: a request is settled by exactly one of them.
//
// A receiver may refuse a whole request for one sample. Then fewer records go with each request, down to one, which is
// dropped alone; later requests grow again.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "collect/send/remote_write_sender_shard.h"

namespace stoker::agent {

struct DeliveryOptions {
    std::size_t destinations = 1;  // In order of preference.
    Duration interval{5'000};
    Duration min_backoff{500};
    Duration max_backoff{30'000};
    Duration switch_after{15'000};
    Duration return_every{60'000};
    double catch_up = 20'000;          // Samples a second.
    std::size_t most_records = 2'000;  // Of one request.
};

class Delivery {
public:
    Delivery(DeliveryOptions options, SteadyTime now);

    // When the next request may go. `backlog`: more waits than the last request could take.
    SteadyTime next_send(bool backlog) const;
    // Which destination it goes to.
    std::size_t target() const { return returning_ ? 0 : current_; }
    std::size_t most_records() const { return most_records_; }

    enum class Settled : std::uint8_t {
        Taken,    // By the target.
        Dropped,  // Refused for good, by itself: it will never be taken.
        Waits     // Send it, or as much of it as most_records() says by now, again.
    };
    // The answer to a request. `random` in [0, 1) spreads the retries of many agents.
    Settled answered(const collect::SendAnswer& answer, std::size_t samples, std::size_t records, SteadyTime now,
                     double random);

    bool failing() const { return failing_; }

private:
    void failed(const collect::SendAnswer& answer, SteadyTime now, double random);
    void took(std::size_t samples, SteadyTime now);

    const DeliveryOptions options_;
    std::size_t current_ = 0;
    bool returning_ = false;  // The next request tries whether the preferred destination is back.
    std::size_t most_records_;
    SteadyTime sent_at_;
    SteadyTime not_before_;
    SteadyTime pace_;       // No backlog before this.
    SteadyTime return_at_;  // While current_ is not the preferred one.
    bool failing_ = false;
    SteadyTime failing_since_{};
    Duration backoff_{0};
};

}  // namespace stoker::agent
