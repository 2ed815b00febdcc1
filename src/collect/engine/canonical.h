// From each engine's own metric names to the canonical llm_engine_* ones, by one table (canonical.cc).
//
// What an engine does not tell stays absent: never 0. Ranks of one model report the same thing several times, so the
// largest of them counts; data-parallel engines behind one address add up. The model's name stays as the label `model`.
//
// One Canonical lives as long as one scrape. Not thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect/sample_sink.h"
#include "wire/prometheus_text.h"

namespace stoker::collect {

class Canonical {
public:
    void add(const wire::ExpositionSample& sample);

    struct Value {
        std::string_view name;
        SampleBatch::Pairs labels;  // `model` and, of histograms, `le`.
        double value = 0;
    };
    // In order of name and labels.
    std::vector<Value> values() const;

private:
    struct Group {
        std::string_view name;
        std::string model;
        std::string le;
        friend auto operator<=>(const Group&, const Group&) = default;
    };
    struct Parts {
        bool sum = true;
        std::map<std::string, double> by_engine;  // Largest of all ranks, by the labels that tell engines apart.
    };

    std::map<Group, Parts> groups_;
};

}  // namespace stoker::collect
