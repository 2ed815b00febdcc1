// Prometheus' relabelling: rules that rewrite a target's or a sample's labels, or drop it.
//
// Semantics are Prometheus 3.x's: regular expressions are RE2, anchored at both ends, and '.' matches line ends; an
// empty value takes a label away. A compiled rule is constant and thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "collect/discovery/label_map.h"

namespace re2 {
class RE2;
}

namespace stoker::collect {

// A rule as written, with Prometheus' defaults.
struct RelabelConfig {
    std::vector<std::string> source_labels;
    std::string separator = ";";
    std::string target_label;
    std::string regex = "(.*)";
    std::int64_t modulus = 0;
    std::string replacement = "$1";
    std::string action = "replace";
    friend bool operator==(const RelabelConfig&, const RelabelConfig&) = default;
};

void describe(config::Fields& f, RelabelConfig& c);

class Relabeler {
public:
    // Errors: InvalidArgument, what Prometheus would refuse too.
    static Result<Relabeler> create(const std::vector<RelabelConfig>& rules);

    // Applies the rules in order; false if one of them drops what has these labels.
    bool apply(LabelMap& labels) const;

    bool empty() const { return rules_.empty(); }

private:
    enum class Action : std::uint8_t {
        Replace,
        Keep,
        Drop,
        KeepEqual,
        DropEqual,
        HashMod,
        MapLabels,
        DropLabels,
        KeepLabels,
        Lowercase,
        Uppercase
    };
    struct Rule {
        RelabelConfig config;
        Action action = Action::Replace;
        std::shared_ptr<const re2::RE2> regex;
    };
    static Result<Rule> compile(const RelabelConfig& config);
    static bool apply(const Rule& rule, LabelMap& labels);
    static void map_labels(const Rule& rule, LabelMap& labels);
    static void replace(const Rule& rule, const std::string& value, LabelMap& labels);

    std::vector<Rule> rules_;
};

// One rule's faults, in words; empty if it has none.
std::string problem_of(const RelabelConfig& rule);

}  // namespace stoker::collect
