// A signal: something that a watcher noticed about an engine or from a rule, on its way to becoming an incident.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "diagnose/finding.h"

namespace stoker::diagnose {

struct Signal {
    // CircuitOpened: requests to it failed, and failed again when one tried whether that is over.
    enum class Kind : std::uint8_t {
        EngineDown,
        EngineHung,
        EngineRecovered,
        AlertFired,
        AlertResolved,
        CircuitOpened,
        CircuitClosed
    };
    Kind kind{};
    std::string source;   // Who noticed: "gateway", "supervisor", "rules"
    std::string replica;  // Empty if it is about none.
    std::string pool;
    Timestamp at;
    std::string reason;                 // One sentence.
    std::vector<std::string> evidence;  // Observations with numbers.
    std::vector<Observation> findings;  // What diagnosis can reckon with; see from_health().

    // Of alerts only.
    std::string title;     // Name and labels: the same alert has the same title each time.
    std::string severity;  // critical, warning, info
    std::string query;
    std::string value;
};

// Findings in what the gateway knows of a replica: the result of its last health probe ("connect_refused",
// "200 in 3 ms", "timeout"), and whether requests are outstanding without progress. What was not looked at is no
// finding.
std::vector<Observation> from_health(bool health_ok, std::string_view health_detail, bool stalled_with_work);

// Whether refused connections are what was noticed.
bool speaks_of_refusal(const Signal& signal);

// All that is known when the signal arrives: `process` (see process_findings()), what the signal's own words say, and
// its findings, less those that are from before the trouble.
std::vector<Observation> gather(const Signal& signal, const std::vector<Observation>& process);

}  // namespace stoker::diagnose
