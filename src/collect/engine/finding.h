// What looks wrong with an engine's numbers, and what the gateway counts of the same engine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stoker::collect {

// What was found; constant names, as metrics and the API show them.
enum class FindingCode : std::uint8_t {
    NoMetrics,        // No metrics page: switched off, or elsewhere.
    JsonPage,         // JSON where a metrics page was expected.
    UnreadablePage,   // A page that breaks the format's rules.
    Empty,            // A page without any of this engine's metrics.
    ConstantZero,     // 0 although there is evidence of work.
    DuplicateRanks,   // The same number several times, under another label.
    DuplicateSeries,  // One series twice on a page.
    CounterFell,      // A counter got smaller without a restart.
    ShareOutOfRange,  // A share below 0 or above 1.
    CountDisagrees,   // Another count of the same thing disagrees: the gateway's, or an answer's.
    Quirk,            // Known of this version.
};
inline constexpr FindingCode kLastFindingCode = FindingCode::Quirk;
std::string_view to_string(FindingCode code);  // "json_page"
std::string_view meaning(FindingCode code);    // A sentence for the documentation.

enum class Severity : std::uint8_t { Note, Warning, Error };
std::string_view to_string(Severity severity);  // "note"

struct Finding {
    FindingCode code = FindingCode::NoMetrics;
    Severity severity = Severity::Note;
    std::string metric;  // The engine's own or a canonical one; may be empty.
    std::string text;
    std::string fix;
    friend bool operator==(const Finding&, const Finding&) = default;
};

// What the gateway itself counts of an engine.
struct GatewayCount {
    double outstanding = 0;  // Requests sent to it and not yet answered.
    double finished = 0;     // Requests answered well since Stoker started.
};

}  // namespace stoker::collect
