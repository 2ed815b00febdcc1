// What `stoker engines check` has to say of one engine: what was recognised, what is missing, what looks wrong.
//
// Pure; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "collect/engine/inspector.h"

namespace stoker::collect {

// Tokens of one request, as its answer said and as the engine's counters moved meanwhile.
struct AskedTokens {
    double prompt_answered = 0;
    double prompt_counted = 0;
    double generation_answered = 0;
    double generation_counted = 0;
    bool prompt_known = false;  // The engine counts them at all.
    bool generation_known = false;
};

struct EngineReport {
    std::string url;
    std::string metrics_url;  // Empty: it has none.
    EngineIdentity identity;
    std::string title;  // The adapter's; empty: not recognised.
    std::size_t samples = 0;
    int looks = 0;

    struct Recognised {
        std::string name;    // Canonical; a histogram is one line.
        std::string labels;  // `model="m"`, without `source`.
        std::string value;
        std::string source;
        std::string from;
    };
    std::vector<Recognised> recognised;
    std::vector<MissingRule> missing;
    std::vector<Finding> findings;

    // Nothing worse than a note.
    bool good() const;
};

// Fills in what the last page's canonical values say: recognised, and missing with the adapter's reasons (null: none).
void take_values(EngineReport& report, const Adapter* adapter, const std::vector<Canonical::Value>& values);

// Where the counters did not move as the answer says; nothing where they did.
std::vector<Finding> compare_tokens(const AskedTokens& tokens);

std::string report_json(const EngineReport& report);
std::string report_text(const EngineReport& report);

}  // namespace stoker::collect
