// Requests that go to an engine as one: gathering them, and giving each its part.
//
// The first one leads: it waits for others, sends them all, and shares out what came. The others wait, each on its own
// loop and with its own deadline, and may leave; when all have left, whoever leads is told.
//
// Thread-safe. Nothing is waited for under the lock.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/sync.h"
#include "gateway/batch/batch_text.h"
#include "gateway/cache/cache_key.h"
#include "gateway/cache/waiters.h"
#include "net/http.h"
#include "records/request_record.h"

namespace stoker::gateway {

// How the batch ended for one of its requests.
struct BatchOutcome {
    enum class Fate : unsigned char {
        Pending,
        Answered,  // With `response`, its part.
        Failed,    // With `response`, as all of them: trying on would not help.
        Alone      // It must go by itself: something in the batch was refused, and it may not have been this.
    };
    Fate fate = Fate::Pending;
    net::Response response{};
    std::shared_ptr<const records::RequestRecord> made{};  // The record of the request that was made for all.
    std::vector<records::Attempt> attempts{};              // Of that one, with this one's share of their tokens.
};

class Batch {
public:
    explicit Batch(std::size_t max_inputs) : max_inputs_(max_inputs) {}

    // The request's place; nothing if there is no room for its inputs, or the batch has gone.
    std::optional<std::size_t> join(BatchItem item);
    // `timer`: the one that look() was given.
    void leave(const WaitTimer& timer);
    // Its outcome. While that is pending, `timer` is cancelled when it no longer is (or, for the leader at place 0,
    // when the batch is full). REQUIRES: called on the timer's loop, which then waits for it before it does anything
    // else.
    BatchOutcome look(std::size_t place, const WaitTimer& timer);

    // For the leader.
    bool full() const;
    // Nobody joins from now on.
    std::vector<BatchItem> close();
    // When nobody waits any more; called on the thread of whoever left last. Empty: not any more.
    void on_abandoned(std::function<void()> abandoned);
    // REQUIRES: closed; as many as there are requests.
    void end(std::vector<BatchOutcome> outcomes);
    // Everybody who has no outcome yet goes alone.
    void give_back();

private:
    const std::size_t max_inputs_;
    mutable Mutex mutex_;
    std::vector<BatchItem> items_ GUARDED_BY(mutex_);
    std::vector<BatchOutcome> outcomes_ GUARDED_BY(mutex_);
    std::size_t inputs_ GUARDED_BY(mutex_) = 0;
    std::size_t waiting_ GUARDED_BY(mutex_) = 0;
    bool closed_ GUARDED_BY(mutex_) = false;
    std::function<void()> abandoned_ GUARDED_BY(mutex_);
    Waiters waiters_ GUARDED_BY(mutex_);
};

// The batches that are being gathered, by what their requests have in common.
class Batches {
public:
    struct Joined {
        std::shared_ptr<Batch> batch;
        std::size_t place = 0;  // 0 leads.
    };
    // REQUIRES: the item has at most `max_inputs` inputs.
    Joined join(const CacheKey& key, BatchItem item, std::size_t max_inputs);
    // Nobody joins it from now on.
    void remove(const CacheKey& key, const Batch& batch);

private:
    Mutex mutex_;
    std::unordered_map<CacheKey, std::shared_ptr<Batch>, CacheKeyHash> gathering_ GUARDED_BY(mutex_);
};

}  // namespace stoker::gateway
