// An incident: one trouble from detection to its end, with everything that was thought and done about it.
//
// JSON form (to_json) is what the API, the CLI, the journal and the state store all use; docs/api.md has its fields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stoker::diagnose {

enum class IncidentKind : std::uint8_t { EngineDown, EngineHung, Alert };
std::string_view to_string(IncidentKind kind);  // engine_down, engine_hung, alert

// Open: noticed, nothing running. AwaitingApproval: a plan waits for a person. Acting: a plan runs. Resolved: verified
// to be over. Escalated: automation gave up or was not allowed; a person is needed.
enum class IncidentStatus : std::uint8_t { Open, AwaitingApproval, Acting, Resolved, Escalated };
std::string_view to_string(IncidentStatus status);  // open, awaiting_approval, acting, resolved, escalated

enum class Phase : std::uint8_t { Detect, Diagnose, Plan, Approve, Act, Verify, Resolve, Escalate, Note };
std::string_view to_string(Phase phase);  // detect, diagnose, ...

struct TimelineEntry {
    Timestamp at;
    Phase phase{};
    std::string text;   // One sentence for people.
    std::string actor;  // "gateway", "policy restart-dead-engine", "user"
    bool ok = true;
};

struct Evidence {
    std::string text;   // "12 of 12 connections to 127.0.0.1:9001 refused since 10:00:01"
    std::string query;  // PromQL that shows it; may be empty.
    std::string value;  // What the query said then.
};

struct Hypothesis {
    std::string cause;      // Failure mode id: "engine_process_died"
    std::string summary;    // One sentence.
    double confidence = 0;  // 0..1
    std::vector<Evidence> evidence;
};

struct Incident {
    std::string id;  // "inc_..."
    IncidentKind kind{};
    IncidentStatus status = IncidentStatus::Open;
    std::string severity;  // critical | warning | info
    std::string title;
    std::string replica;  // Replica id, empty if it is not about one.
    std::string pool;
    std::string policy;  // The healing policy that took it; may be empty.
    Timestamp opened_at;
    Timestamp updated_at;
    Timestamp resolved_at;               // Epoch while it is not over.
    std::vector<Hypothesis> hypotheses;  // Best first.
    std::vector<TimelineEntry> timeline;
};

// Resolved is over; Escalated is not, it waits for a person.
inline bool is_over(const Incident& incident) {
    return incident.status == IncidentStatus::Resolved;
}

std::string to_json(const Incident& incident);
Result<Incident> incident_from_json(std::string_view json);

}  // namespace stoker::diagnose
