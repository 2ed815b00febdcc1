// From each engine's own metrics to the canonical llm_engine_* ones, as its adapter says.
//
// What an engine does not tell stays absent: never 0. Ranks of one model report the same thing several times, so the
// largest of them counts; data-parallel engines behind one address add up. The model's name becomes the label `model`,
// and the label `source` says how far the number can be trusted (adapter.h).
//
// One Canonical lives as long as one scrape. Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collect/engine/canonical_plan.h"
#include "collect/sample_sink.h"

namespace stoker::collect {

class Canonical {
public:
    explicit Canonical(std::shared_ptr<const CanonicalPlan> plan);

    // One sample of the engine's page, labels in any order.
    void add(std::string_view name, const SampleBatch::Pairs& labels, double value);

    struct Value {
        std::string name;
        SampleBatch::Pairs labels;  // `source`, `model` where there is one, those that the adapter keeps, `le`.
        double value = 0;
        std::string from;  // The engine's own metric that it was made of.
    };
    // In order of name and labels.
    std::vector<Value> values() const;

private:
    using Part = CanonicalPlan::Part;

    struct Group {
        Part part = Part::Value;
        std::string model;
        std::string le;
        SampleBatch::Pairs kept;  // Under their canonical names, sorted.
        friend auto operator<=>(const Group&, const Group&) = default;
    };
    // Largest of all ranks, by the labels that tell engines apart.
    using Parts = std::map<std::string, double>;
    struct Operand {
        std::map<Group, Parts> groups;
        double newest = 0;
    };

    void add_to(const CanonicalPlan::Use& use, const SampleBatch::Pairs& labels, double value);
    double combined(const CanonicalPlan::Rule& rule, const Parts& parts) const;
    // The factor for a model's value, or for all models where it has no model of its own.
    const double* factor(std::size_t operand, const std::string& model, double& storage) const;
    void evaluate(const CanonicalPlan::Rule& rule,
                  std::map<std::pair<std::string, SampleBatch::Pairs>, Value>& out) const;

    std::shared_ptr<const CanonicalPlan> plan_;
    std::vector<Operand> operands_;  // As those of the plan.
};

}  // namespace stoker::collect
