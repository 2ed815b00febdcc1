// What a rule file says, as values. The format is Prometheus'.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace stoker::alert {

using Texts = std::map<std::string, std::string>;

struct RuleSpec {
    enum class Kind : std::uint8_t { Recording, Alerting };
    Kind kind = Kind::Recording;
    std::string name;  // The recorded metric's, or the alert's.
    std::string expr;
    Duration hold_for{0};  // `for`
    Duration keep_firing_for{0};
    Texts labels;       // Values may be templates.
    Texts annotations;  // Likewise.
    int line = 0;       // Where it stands in its file.

    // Whether states of the one can go on as states of the other: what decides when it fires is the same.
    bool same_condition(const RuleSpec& other) const {
        return kind == other.kind && name == other.name && expr == other.expr && hold_for == other.hold_for &&
               keep_firing_for == other.keep_firing_for && labels == other.labels;
    }
};

struct RuleGroupSpec {
    std::string file;
    std::string name;
    Duration interval{0};                  // 0: the manager's default.
    std::optional<Duration> query_offset;  // Evaluates so far in the past; none: the manager's default.
    std::int64_t limit = 0;                // Series or alerts that one rule may yield; 0: no limit.
    Texts labels;                          // Added to every rule that has not its own of that name.
    std::vector<RuleSpec> rules;
};

}  // namespace stoker::alert
