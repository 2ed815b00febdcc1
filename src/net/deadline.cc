#include "net/deadline.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <vector>

namespace stoker::net::internal {

class DeadlineQueue : public boost::asio::execution_context::service {
public:
    using key_type = DeadlineQueue;
    inline static boost::asio::execution_context::id id;

    explicit DeadlineQueue(boost::asio::io_context& loop) : service(loop), timer_(loop) {}

    void add(Deadline& deadline) {
        deadline.index_ = entries_.size();
        entries_.push_back({kNever, &deadline});
    }

    void remove(Deadline& deadline) {
        entries_[deadline.index_] = entries_.back();
        entries_[deadline.index_].deadline->index_ = deadline.index_;
        entries_.pop_back();
        // Nothing left to wait for: lets a loop without other work end.
        if (entries_.empty() && wake_ != kNever && !shut_) sleep_until(kNever);
    }

    void set(Deadline& deadline, SteadyTime due) {
        entries_[deadline.index_].due = due;
        if (due < wake_) sleep_until(due);
    }

private:
    static constexpr SteadyTime kNever = SteadyTime::max();

    struct Entry {
        SteadyTime due;
        Deadline* deadline;
    };

    void shutdown() override { shut_ = true; }

    void sleep_until(SteadyTime time) {
        wake_ = time;
        if (time == kNever) {
            timer_.cancel();
            return;
        }
        timer_.expires_at(std::max(time, last_sweep_ + Deadline::kSlack));
        timer_.async_wait([this](const boost::system::error_code& ec) {
            if (!ec) sweep(std::chrono::steady_clock::now());
        });
    }

    void sweep(SteadyTime now) {
        last_sweep_ = now;
        wake_ = SteadyTime::min();  // Targets that set deadlines meanwhile need no timer of their own.
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (entries_[i].due > now) continue;
            entries_[i].due = kNever;
            entries_[i].deadline->target_.on_deadline();
        }
        SteadyTime next = kNever;
        for (const Entry& entry : entries_) next = std::min(next, entry.due);
        sleep_until(next);
    }

    std::vector<Entry> entries_;
    boost::asio::steady_timer timer_;
    SteadyTime wake_ = kNever;
    SteadyTime last_sweep_{};
    bool shut_ = false;
};

Deadline::Deadline(boost::asio::io_context& loop, Target& target)
    : queue_(boost::asio::use_service<DeadlineQueue>(loop)), target_(target) {
    queue_.add(*this);
}

Deadline::~Deadline() {
    queue_.remove(*this);
}

void Deadline::set(Duration from_now) {
    queue_.set(*this, std::chrono::steady_clock::now() + from_now);
}

void Deadline::clear() {
    queue_.set(*this, SteadyTime::max());
}

}  // namespace stoker::net::internal
