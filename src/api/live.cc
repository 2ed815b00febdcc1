#include "api/live.h"

namespace stoker::api {

std::string Subscription::take() {
    MutexLock lock(mutex_);
    std::string text;
    for (const auto& event : events_) text += event;
    events_.clear();
    return text;
}

void Subscription::push(const std::string& text) {
    MutexLock lock(mutex_);
    if (events_.size() == kMostEvents) events_.pop_front();
    events_.push_back(text);
}

void Live::publish(const std::string& event, const std::string& json) {
    MutexLock lock(mutex_);
    std::erase_if(subscriptions_, [](const auto& weak) { return weak.expired(); });
    if (subscriptions_.empty()) return;
    const std::string text = "event: " + event + "\ndata: " + json + "\n\n";
    for (const auto& weak : subscriptions_) {
        if (auto subscription = weak.lock()) subscription->push(text);
    }
}

std::shared_ptr<Subscription> Live::subscribe() {
    auto subscription = std::make_shared<Subscription>();
    MutexLock lock(mutex_);
    subscriptions_.push_back(subscription);
    return subscription;
}

std::size_t Live::subscribers() {
    MutexLock lock(mutex_);
    std::erase_if(subscriptions_, [](const auto& weak) { return weak.expired(); });
    return subscriptions_.size();
}

}  // namespace stoker::api
