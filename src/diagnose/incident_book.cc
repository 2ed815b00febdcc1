#include "diagnose/incident_book.h"

#include <algorithm>
#include <utility>

#include "base/id.h"
#include "base/log.h"

namespace stoker::diagnose {
namespace {

// The beginning says how it was found and what was planned; the end says where it stands. The middle of a long flapping
// is what can go.
void trim_timeline(std::vector<TimelineEntry>& timeline, std::size_t most) {
    if (timeline.size() <= most) return;
    const std::size_t keep_first = most / 4;
    const std::size_t drop = timeline.size() - most;
    const auto from = timeline.begin() + static_cast<std::ptrdiff_t>(keep_first);
    timeline.erase(from, from + static_cast<std::ptrdiff_t>(drop));
}

bool about_engine(const Incident& incident) {
    return incident.kind != IncidentKind::Alert;
}

}  // namespace

IncidentBook::IncidentBook(IncidentStore* store, BookLimits limits) : store_(store), limits_(limits) {}

void IncidentBook::add_observer(IncidentObserver* observer) {
    MutexLock change(change_mutex_);
    observers_.push_back(observer);
}

Result<std::vector<Incident>> IncidentBook::load() {
    if (store_ == nullptr) return std::vector<Incident>{};
    TRY(auto stored, store_->load_all(limits_.max_over));
    std::vector<Incident> unfinished;
    MutexLock change(change_mutex_);
    MutexLock lock(mutex_);
    for (Incident& incident : stored) {
        if (!is_over(incident)) unfinished.push_back(incident);
        incidents_.insert_or_assign(incident.id, std::move(incident));
    }
    return unfinished;
}

IncidentBook::Opened IncidentBook::open(Incident incident, Timestamp at) {
    MutexLock change(change_mutex_);
    {
        MutexLock lock(mutex_);
        if (const Incident* known = same_thing(incident)) return {*known, false};
        incident.id = make_id("inc_");
        incident.updated_at = at;
        incidents_.emplace(incident.id, incident);
        forget_oldest();
    }
    publish(incident);
    return {std::move(incident), true};
}

Result<Incident> IncidentBook::update(const std::string& id, Timestamp at, const Change& apply) {
    MutexLock change(change_mutex_);
    Incident changed;
    {
        MutexLock lock(mutex_);
        const auto found = incidents_.find(id);
        if (found == incidents_.end()) return Error{Errc::NotFound, "no incident " + id};
        apply(found->second);
        found->second.updated_at = at;
        trim_timeline(found->second.timeline, limits_.max_timeline);
        changed = found->second;
        if (is_over(changed)) forget_oldest();
    }
    publish(changed);
    return changed;
}

Result<Incident> IncidentBook::note(const std::string& id, TimelineEntry entry) {
    const Timestamp at = entry.at;
    return update(id, at, [&entry](Incident& incident) { incident.timeline.push_back(std::move(entry)); });
}

std::optional<Incident> IncidentBook::find(std::string_view id) const {
    MutexLock lock(mutex_);
    const auto found = incidents_.find(id);
    if (found == incidents_.end()) return std::nullopt;
    return found->second;
}

std::optional<Incident> IncidentBook::open_for_replica(std::string_view replica) const {
    MutexLock lock(mutex_);
    for (const auto& [id, incident] : incidents_) {
        if (!is_over(incident) && about_engine(incident) && incident.replica == replica) return incident;
    }
    return std::nullopt;
}

std::optional<Incident> IncidentBook::open_for_pool(std::string_view pool) const {
    MutexLock lock(mutex_);
    for (auto it = incidents_.rbegin(); it != incidents_.rend(); ++it) {
        const Incident& incident = it->second;
        if (!pool.empty() && !is_over(incident) && about_engine(incident) && incident.pool == pool) return incident;
    }
    return std::nullopt;
}

std::vector<Incident> IncidentBook::list(Filter filter) const {
    std::vector<Incident> found;
    MutexLock lock(mutex_);
    for (const auto& [id, incident] : incidents_) {
        if (!filter.only_open || !is_over(incident)) found.push_back(incident);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Incident& a, const Incident& b) { return a.opened_at > b.opened_at; });
    if (found.size() > filter.limit) found.resize(filter.limit);
    return found;
}

IncidentBook::Counts IncidentBook::counts() const {
    MutexLock lock(mutex_);
    Counts counts{0, incidents_.size()};
    for (const auto& [id, incident] : incidents_) counts.open += is_over(incident) ? 0 : 1;
    return counts;
}

std::uint64_t IncidentBook::store_failures() const {
    MutexLock lock(mutex_);
    return store_failures_;
}

const Incident* IncidentBook::same_thing(const Incident& incident) const {
    for (const auto& [id, known] : incidents_) {
        if (is_over(known) || known.replica != incident.replica) continue;
        const bool same =
            about_engine(incident) ? about_engine(known) : !about_engine(known) && known.title == incident.title;
        if (same) return &known;
    }
    return nullptr;
}

void IncidentBook::publish(const Incident& incident) {
    if (store_ != nullptr) {
        if (const auto stored = store_->put(incident); !stored) {
            log::error("incident could not be stored", {{"incident", incident.id}, {"error", stored.error().message}});
            MutexLock lock(mutex_);
            ++store_failures_;
        }
    }
    for (IncidentObserver* observer : observers_) observer->on_incident(incident);
}

void IncidentBook::forget_oldest() {
    std::size_t over = 0;
    for (const auto& [id, incident] : incidents_) over += is_over(incident) ? 1 : 0;
    for (auto it = incidents_.begin(); over > limits_.max_over && it != incidents_.end();) {
        if (is_over(it->second)) {
            it = incidents_.erase(it);
            --over;
        } else {
            ++it;
        }
    }
}

}  // namespace stoker::diagnose
