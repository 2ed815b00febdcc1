// Deadlines that cost a clock reading and a store: one timer per loop looks after all of them.
//
// A connection moves its deadline many times a request and nearly never meets it. So the timer is not moved along: it
// stands at the earliest deadline it knows of, and when it goes off and finds that one moved, it goes to sleep until
// the next. Deadlines are met up to kSlack late. Everything here belongs to one loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>

#include "base/time.h"

namespace stoker::net::internal {

class DeadlineQueue;

class Deadline {
public:
    static constexpr Duration kSlack{20};

    // Who is told, on the loop. May set the deadline anew, but destroy no Deadline.
    class Target {
    public:
        virtual void on_deadline() = 0;

    protected:
        ~Target() = default;
    };

    Deadline(boost::asio::io_context& loop, Target& target);
    ~Deadline();
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    // Replaces the former deadline.
    void set(Duration from_now);
    void clear();

private:
    friend class DeadlineQueue;

    DeadlineQueue& queue_;
    Target& target_;
    std::size_t index_ = 0;  // The queue's.
};

}  // namespace stoker::net::internal
