#include "diagnose/incident_store.h"

#include <string>
#include <utility>

#include "base/log.h"

namespace stoker::diagnose {
namespace {

// More than anyone has open at a time; a bound on what a damaged store can make us load.
constexpr std::size_t kMostOpen = 10'000;

class StateIncidentStore : public IncidentStore {
public:
    explicit StateIncidentStore(state::StateStore& store) : store_(store) {}

    Result<Unit> put(const Incident& incident) override {
        state::Document document;
        document.id = incident.id;
        document.time = incident.opened_at;
        document.status = std::string(to_string(incident.status));
        document.body = to_json(incident);
        TRY([[maybe_unused]] const auto revision, store_.put(state::kIncidents, document));
        return Unit{};
    }

    Result<std::vector<Incident>> load_all(std::size_t most_over) override {
        std::vector<Incident> incidents;
        state::Selection open;
        open.status = {"open", "awaiting_approval", "acting", "escalated"};
        open.limit = kMostOpen;
        TRY_UNIT(load(open, incidents));
        state::Selection over;
        over.status = {"resolved"};
        over.limit = most_over;
        TRY_UNIT(load(over, incidents));
        return incidents;
    }

private:
    Result<Unit> load(const state::Selection& selection, std::vector<Incident>& into) {
        TRY(auto documents, store_.list(state::kIncidents, selection));
        for (const state::Document& document : documents) {
            auto incident = incident_from_json(document.body);
            if (incident) {
                into.push_back(*std::move(incident));
            } else {
                log::error("stored incident can't be read and is left out",
                           {{"id", document.id}, {"error", incident.error().message}});
            }
        }
        return Unit{};
    }

    state::StateStore& store_;
};

}  // namespace

std::unique_ptr<IncidentStore> make_incident_store(state::StateStore& store) {
    return std::make_unique<StateIncidentStore>(store);
}

}  // namespace stoker::diagnose
