#include "api/log_tail.h"

namespace stoker::api {

std::string LogSubscription::take() {
    MutexLock lock(mutex_);
    std::string text;
    if (lost_ > 0) text += "event: lost\ndata: {\"lines\":" + std::to_string(lost_) + "}\n\n";
    lost_ = 0;
    for (const auto& line : lines_) text += "event: log\ndata: " + line + "\n\n";
    lines_.clear();
    return text;
}

void LogSubscription::offer(const records::LogRow& row) {
    if (!records::matches(filter_, row)) return;
    std::string line = records::to_json(row);
    MutexLock lock(mutex_);
    if (lines_.size() == kMostLines) {
        lines_.pop_front();
        ++lost_;
    }
    lines_.push_back(std::move(line));
}

void LogTail::publish(std::span<const records::LogRow> rows) {
    if (!anybody_.load(std::memory_order_relaxed)) return;
    std::vector<std::shared_ptr<LogSubscription>> followers;
    {
        MutexLock lock(mutex_);
        std::erase_if(subscriptions_, [](const auto& weak) { return weak.expired(); });
        anybody_ = !subscriptions_.empty();
        for (const auto& weak : subscriptions_) {
            if (auto subscription = weak.lock()) followers.push_back(std::move(subscription));
        }
    }
    for (const auto& follower : followers) {
        for (const auto& row : rows) follower->offer(row);
    }
}

std::shared_ptr<LogSubscription> LogTail::subscribe(records::LogFilter filter) {
    auto subscription = std::make_shared<LogSubscription>(std::move(filter));
    MutexLock lock(mutex_);
    subscriptions_.push_back(subscription);
    anybody_ = true;
    return subscription;
}

}  // namespace stoker::api
