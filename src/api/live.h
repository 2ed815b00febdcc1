// Live: what pages follow as it happens. Publishers hand in events; each subscriber has a bounded queue of its own that
// loses its oldest when a slow reader lets it fill.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/sync.h"

namespace stoker::api {

class Subscription {
public:
    // All events since the last call, as server-sent-event text ready to be written; empty if there were none.
    std::string take();

private:
    friend class Live;
    void push(const std::string& text);

    static constexpr std::size_t kMostEvents = 256;
    Mutex mutex_;
    std::deque<std::string> events_ GUARDED_BY(mutex_);
};

class Live {
public:
    // `json` must be one line.
    void publish(const std::string& event, const std::string& json);

    std::shared_ptr<Subscription> subscribe();

    // Subscribers now; publishers whose work is costly skip it when there are none.
    std::size_t subscribers();

private:
    Mutex mutex_;
    std::vector<std::weak_ptr<Subscription>> subscriptions_ GUARDED_BY(mutex_);
};

}  // namespace stoker::api
