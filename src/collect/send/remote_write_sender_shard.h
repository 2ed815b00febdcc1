// One lane of the remote-write sender: the order in which series wait, go out in batches, and come back.
//
// A pure state machine: one batch is out at a time, so that a series' samples arrive in the order in which they were
// added. What may be tried again is, after a pause that doubles; what is refused for good is dropped and counted. Some
// receivers throw a whole request away for one sample that they don't like: a refused batch is therefore sent again in
// ever smaller parts, for a limited number of requests, so that the bad sample goes alone.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "collect/send/remote_write_sender_record.h"

namespace stoker::collect {

struct ShardOptions {
    std::size_t samples_per_send = 2'000;
    Duration batch_deadline{5'000};  // The longest that a sample waits for a full batch.
    Duration min_backoff{30};
    Duration max_backoff{5'000};
    std::size_t parts_tried = 64;  // Requests spent on one refused batch.
};

enum class SendOutcome : std::uint8_t {
    Sent,      // Taken, or as much of it as ever will be.
    TryAgain,  // Nobody there, overloaded, or broken for now.
    Refused    // This request will never be taken as it is.
};

struct SendAnswer {
    SendOutcome outcome = SendOutcome::TryAgain;
    Duration retry_after{0};     // What the receiver asked for.
    std::size_t refused = 0;     // Of a batch that was Sent: samples that the receiver says it left out.
    bool worth_parting = false;  // Of a batch that was Refused: smaller parts of it may be taken.
};

// What one answer settled.
struct Settled {
    std::vector<QueuedSeries> series;  // Done with, one way or the other.
    std::size_t sent = 0;              // Samples and histograms among them.
    std::size_t refused = 0;
};

class RemoteWriteShard {
public:
    explicit RemoteWriteShard(ShardOptions options) : options_(options) {}

    void add(QueuedSeries series, SteadyTime now);
    // Puts exemplars that came without samples to the newest samples of their series that wait and are not out: 2.0
    // sends none alone. Returns those whose samples have left already.
    std::vector<QueuedSeries> attach(std::vector<QueuedSeries> exemplars);

    // When the next batch is to go; nothing while one is out or nothing waits.
    std::optional<SteadyTime> next_send() const;
    // Batches need no longer fill up: the sender is about to stop.
    void hurry() { hurried_ = true; }

    // The batch to send now, which is out from here on. REQUIRES: next_send() has come.
    std::vector<QueuedSeries> begin_send();
    // Its answer. `random` in [0, 1) spreads retries of many senders. REQUIRES: a batch is out.
    Settled end_send(const SendAnswer& answer, SteadyTime now, double random);

    std::size_t waiting() const { return waiting_; }  // Samples and histograms, those that are out included.
    Duration backoff() const { return backoff_; }

private:
    struct Waiting {
        QueuedSeries series;
        SteadyTime since;
    };

    std::size_t limit() const { return parting_ > 0 ? part_limit_ : options_.samples_per_send; }
    // Takes the first `count` series out of the queue.
    std::vector<QueuedSeries> take(std::size_t count);

    const ShardOptions options_;
    std::deque<Waiting> queue_;
    std::size_t waiting_ = 0;
    std::size_t out_ = 0;  // Series at the head of the queue that are out.
    bool hurried_ = false;
    Duration backoff_{0};
    SteadyTime not_before_{};

    // While a refused batch is sent in parts:
    std::size_t parting_ = 0;     // Series at the head of the queue that were in it; 0: none was.
    std::size_t part_limit_ = 0;  // Samples a part.
    std::size_t parts_left_ = 0;  // Requests it may still cost.
};

}  // namespace stoker::collect
