// All incidents that matter now: opens, changes and ends them, one at a time, and tells whoever listens.
//
// Bounded: only the newest `max_over` incidents that are over stay in memory, and a timeline keeps its first and last
// entries. Every change is put into the store before observers hear of it; if the store fails, the incident goes on in
// memory and the failure is logged and counted in store_failures().
// Thread-safe. Changes are serialised; readers never wait for the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sync.h"
#include "base/time.h"
#include "diagnose/incident.h"
#include "diagnose/incident_store.h"

namespace stoker::diagnose {

// Hears of every change, in order, on the thread that made it. Must not block and must not change the book.
class IncidentObserver {
public:
    virtual ~IncidentObserver() = default;
    virtual void on_incident(const Incident& incident) = 0;
};

struct BookLimits {
    std::size_t max_over = 1000;
    std::size_t max_timeline = 400;
};

class IncidentBook {
public:
    // `store` may be null: then nothing outlives the process. REQUIRES: it outlives the book.
    explicit IncidentBook(IncidentStore* store, BookLimits limits = {});
    IncidentBook(const IncidentBook&) = delete;
    IncidentBook& operator=(const IncidentBook&) = delete;

    // REQUIRES: `observer` outlives the book; called before anything changes.
    void add_observer(IncidentObserver* observer);

    // Reads what the store has; returns the incidents that are not over. Observers hear nothing.
    Result<std::vector<Incident>> load();

    struct Opened {
        Incident incident;
        bool created = false;
    };
    // Opens `incident` (its id and updated_at are set here), unless one that is not over is about the same thing: then
    // that one is returned. The same thing: for engines the same replica, whichever way it fails; for alerts the same
    // title and replica.
    Opened open(Incident incident, Timestamp at);

    using Change = std::function<void(Incident&)>;
    // Applies `change` and sets updated_at. Errors: NotFound.
    Result<Incident> update(const std::string& id, Timestamp at, const Change& change);
    // As update(), for one entry of the timeline.
    Result<Incident> note(const std::string& id, TimelineEntry entry);

    std::optional<Incident> find(std::string_view id) const;
    // The incident that is not over and about this replica's engine, if there is one.
    std::optional<Incident> open_for_replica(std::string_view replica) const;

    // As open_for_replica(), of any of the pool's engines: the newest.
    std::optional<Incident> open_for_pool(std::string_view pool) const;

    struct Filter {
        bool only_open = false;  // Any that is not over.
        std::size_t limit = 100;
    };
    // Newest first.
    std::vector<Incident> list(Filter filter) const;

    struct Counts {
        std::size_t open = 0;  // Not over.
        std::size_t total = 0;
    };
    Counts counts() const;
    std::uint64_t store_failures() const;

private:
    const Incident* same_thing(const Incident& incident) const REQUIRES_LOCK(mutex_);
    void publish(const Incident& incident) REQUIRES_LOCK(change_mutex_);
    void forget_oldest() REQUIRES_LOCK(mutex_);

    IncidentStore* const store_;
    const BookLimits limits_;

    Mutex change_mutex_;  // Held over a whole change: memory, store, observers. Taken before mutex_.
    std::vector<IncidentObserver*> observers_ GUARDED_BY(change_mutex_);

    mutable Mutex mutex_;
    std::map<std::string, Incident, std::less<>> incidents_ GUARDED_BY(mutex_);  // Ids sort by creation.
    std::uint64_t store_failures_ GUARDED_BY(mutex_) = 0;
};

}  // namespace stoker::diagnose
