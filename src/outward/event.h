// Something that happened and that others may want to hear of: an incident, a repair, an alert, a change of degradation
// or of routes. docs/events.md lists the types.
//
// The JSON form is what the API, webhooks and Kafka carry; it is also what the event log keeps. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stoker::outward {

enum class Severity : std::uint8_t { Info, Warning, Critical };
std::string_view to_string(Severity severity);  // info, warning, critical
Severity severity_from(std::string_view text);  // Anything else is Info.

struct Event {
    std::uint64_t sequence = 0;  // Its place in the log; 0: not in it yet.
    std::string id{};            // Unique among all Stokers; given by the log.
    Timestamp at{};
    std::string type{};  // "incident.opened"
    Severity severity = Severity::Info;
    std::string subject{};    // What it is about: a replica, a pool, an alert.
    std::string summary{};    // One sentence for people.
    std::string data = "{}";  // A JSON object with the details, as its type has them.
};

// {"v":1,"sequence":7,"id":"…","time":"2026-11-23T10:00:00.000Z","at_ms":…,"type":…,"severity":…,"subject":…,
//  "summary":…,"data":{…}}
std::string to_json(const Event& event);
// Errors: InvalidArgument.
Result<Event> event_from_json(std::string_view json);

// Which events somebody wants.
struct EventFilter {
    std::vector<std::string> types{};  // "incident.opened", "incident.*", "*"; none: all.
    Severity least = Severity::Info;

    bool matches(const Event& event) const;
};

// Every type that there is: for checking filters, and for the docs.
const std::vector<std::string>& event_types();

// Whether a pattern of a filter can match anything.
bool is_event_pattern(std::string_view pattern);

}  // namespace stoker::outward
