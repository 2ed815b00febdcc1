// What Stoker knows of one inference engine, as data: how it is recognised, where its metrics are, and what they mean.
//
// Adapters are YAML files: those in config/engines are built in, operators add to them or replace them by name
// (`collect.engines.adapters`). docs/extending.md explains how to write one; docs/engines.md lists every key.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "collect/engine/selector.h"
#include "collect/engine/version_range.h"

namespace stoker::collect {

// How far a canonical number can be trusted.
inline constexpr std::string_view kNative = "native";        // The engine's own number, in another unit at most.
inline constexpr std::string_view kDerived = "derived";      // Computed from several of its numbers.
inline constexpr std::string_view kEstimated = "estimated";  // Nearly the same thing, or computed with an assumption.

// One piece of evidence; every condition that is given must hold.
struct DetectRule {
    std::int64_t points = 3;
    std::string metric;             // Beginning of a metric's name on its page.
    std::string models_owner;       // `owned_by` of a model in /v1/models.
    std::string server;             // Beginning of the Server header.
    std::string path;               // An endpoint that answers 200 with
    std::vector<std::string> keys;  // a JSON object that has these members,
    std::string says;               // or a body that holds these words.
};

// One canonical metric out of the engine's own.
struct MetricRule {
    std::string name;                 // Canonical.
    std::vector<std::string> from;    // The first of these that the page has: newer names first.
    std::vector<std::string> plus;    // Added, where the page has them.
    std::string times;                // Multiplied by this gauge; without it, no value.
    std::string divide_by;            // Divided by it.
    double scale = 1;                 // Then multiplied by this: 0.001 from milliseconds.
    std::vector<std::string> labels;  // The value is the product of the numbers in these labels, not the sample's own.
    std::string count;                // The value is how many names stand in this label, a list with commas.
    bool newest = false;              // Only the series with the largest value count: for those whose value is a time.
    std::map<std::string, std::string> keep;  // Own label to canonical label.
    std::map<std::string, std::string> set;   // Canonical label to its value.
    std::string versions;                     // A range, as VersionRange reads it.
    std::string source;                       // kNative, ...; empty: by what is done to the number.
    std::string note;                         // What an operator should know about this number.

    std::string_view source_or_default() const;
};

// A gauge out of an engine's JSON.
struct JsonMetric {
    std::string name;  // As it will appear among the engine's own metrics.
    std::string help;
    std::string each;   // JSON pointer to an array, one series for each element; empty: the document.
    std::string value;  // Pointer from there to a number; empty: 1.
    std::map<std::string, std::string> labels;  // Label to pointer.
};

// A canonical metric that the engine can't or doesn't give, and why.
struct MissingRule {
    std::string name;
    std::string why;
    std::string fix;  // Empty: nothing can be done.
};

// What is known to be wrong in some versions.
struct Quirk {
    std::string versions;
    std::string metric;  // The engine's own, or a canonical one.
    std::string text;
    std::string fix;
};

// Where to find what the engine says of itself: "PATH#POINTER", tried in order; `*` in a pointer is every element.
struct FactPlaces {
    std::vector<std::string> version;
    std::vector<std::string> models;
    std::vector<std::string> context_length;
    std::vector<std::string> quantization;
    std::vector<std::string> dtype;
};

struct Adapter {
    std::int64_t format = 1;
    std::string name;
    std::string title;
    std::string extends;             // What is not given here is as in that adapter.
    std::vector<std::string> ports;  // Where it listens unless told otherwise.
    std::vector<DetectRule> detect;
    FactPlaces facts;
    std::string metrics_path = "/metrics";
    std::string metrics_format = "exposition";  // Or "json": see `json`.
    std::string enable;                         // How its metrics are switched on.
    std::vector<JsonMetric> json;
    std::string model_label = "model_name";
    std::vector<std::string> ranks;     // Labels of parts that say the same thing: the largest counts.
    std::vector<std::string> totals;    // Labels whose empty value stands for all the others: only that counts.
    std::vector<std::string> prefixes;  // Names that begin with the first may begin with one of the others.
    std::vector<MetricRule> metrics;
    std::vector<std::string> capabilities;
    std::vector<MissingRule> missing;
    std::vector<Quirk> quirks;
};

void describe(config::Fields& f, Adapter& adapter);

struct ParsedAdapter {
    Adapter adapter;  // Meaningful only without problems.
    std::vector<config::Problem> problems;
};

// Reads one file's text; `file` is for messages. `known` are the adapters that it may extend.
ParsedAdapter parse_adapter(std::string_view text, const std::string& file, const std::vector<std::string>& known);

}  // namespace stoker::collect
