// The log of events: bounded, on disk, and read by whoever tells others (pages, webhooks, Kafka), each from a place of
// its own.
//
// A journal of its own, so that a few events are found without reading a million requests. An event that publish()
// returned from survives SIGKILL. Thread-safe; publish() takes microseconds, the rest belongs off event loops.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "journal/journal.h"
#include "outward/event.h"

namespace stoker::outward {

struct EventLogOptions {
    std::uint64_t max_bytes = std::uint64_t{64} << 20;  // The oldest go first,
    Duration retain_for{30LL * 24 * 3600 * 1000};       // as do those that are older and that all readers have passed.
};

struct EventQuery {
    EventFilter filter;
    std::uint64_t after = 0;  // Sequence: those that came after it, oldest first; 0: the newest, newest first.
    std::size_t limit = 100;
};

struct EventPage {
    std::vector<Event> events;
    std::uint64_t next = 0;  // What `after` is to be to go on from here.
};

class EventLog {
public:
    // Errors: the journal's.
    static Result<std::unique_ptr<EventLog>> open(const std::string& directory, EventLogOptions options,
                                                  metrics::Registry& registry);

    // Gives the event its sequence and id. One that the disk does not take is counted as lost, and said.
    void publish(Event event);
    // Called with each event that was published, on the thread that did. Set it before anything is published.
    void on_publish(std::function<void(const Event&)> tell) { tell_ = std::move(tell); }

    // Up to `most` with sequence >= `from`, in order.
    Result<std::vector<Event>> read(std::uint64_t from, std::size_t most);
    // Looks at the newest 100,000 at most. Errors: the disk's.
    Result<EventPage> select(const EventQuery& query);
    std::uint64_t next_sequence() const { return journal_->next_sequence(); }

    // Where a reader stands: the next sequence it wants. One that was never here begins with what comes from now on.
    std::uint64_t place(const std::string& reader);
    Result<Unit> commit(const std::string& reader, std::uint64_t next) { return journal_->commit(reader, next); }

    // For readers of whole records: their payload is an event without sequence and id.
    journal::Journal& journal() { return *journal_; }

    // Drops what is too old or too much. Every minute or so.
    void clean(Timestamp now) { journal_->enforce_retention(now); }

private:
    EventLog(std::unique_ptr<journal::Journal> journal, metrics::Registry& registry);

    const std::unique_ptr<journal::Journal> journal_;
    metrics::Family<metrics::Counter>& published_;
    metrics::Counter& lost_;
    std::function<void(const Event&)> tell_;
};

}  // namespace stoker::outward
