#include "collect/engine/canonical_plan.h"

#include "base/check.h"

namespace stoker::collect {
namespace {

// The name in every spelling that the engine is known in.
std::vector<std::string> spellings(const Adapter& adapter, const std::string& name) {
    std::vector<std::string> all = {name};
    if (adapter.prefixes.empty() || !name.starts_with(adapter.prefixes.front())) return all;
    const std::string rest = name.substr(adapter.prefixes.front().size());
    for (std::size_t i = 1; i < adapter.prefixes.size(); ++i) all.push_back(adapter.prefixes[i] + rest);
    return all;
}

}  // namespace

std::shared_ptr<const CanonicalPlan> CanonicalPlan::make(std::shared_ptr<const Adapters> adapters,
                                                         std::string_view kind, std::string_view version) {
    auto plan = std::make_shared<CanonicalPlan>();
    plan->adapters_ = std::move(adapters);
    if (const Adapter* known = plan->adapters_->find(kind); known != nullptr) {
        plan->add(*known, version);
    } else {
        for (const Adapter& adapter : plan->adapters_->all()) plan->add(adapter, version);
    }
    return plan;
}

void CanonicalPlan::add(const Adapter& adapter, std::string_view version) {
    for (const MetricRule& metric : adapter.metrics) {
        const auto range = VersionRange::parse(metric.versions);
        const CanonicalName* canonical = find_canonical(metric.name);
        STOKER_CHECK(range && canonical != nullptr, "an adapter in force has been checked");
        if (!range->contains(version)) continue;
        const std::size_t place = rules_.size();
        Rule& rule = rules_.emplace_back();
        rule.rule = &metric;
        rule.adapter = &adapter;
        // NAME_sum and NAME_count of a histogram that the engine has not are plain counters.
        rule.kind = canonical->name == metric.name ? canonical->kind : CanonicalName::Kind::Counter;
        for (const auto& text : metric.from) rules_[place].from.push_back(add_operand(adapter, place, text, true));
        for (const auto& text : metric.plus) rules_[place].plus.push_back(add_operand(adapter, place, text, true));
        if (!metric.times.empty()) rules_[place].times = add_operand(adapter, place, metric.times, false);
        if (!metric.divide_by.empty()) rules_[place].divide_by = add_operand(adapter, place, metric.divide_by, false);
    }
}

std::size_t CanonicalPlan::add_operand(const Adapter& adapter, std::size_t rule, const std::string& text,
                                       bool of_rule) {
    auto selector = parse_selector(text);
    STOKER_CHECK(selector.has_value(), "an adapter in force has been checked");
    const std::size_t place = operands_.size();
    const bool histogram = of_rule && rules_[rule].kind == CanonicalName::Kind::Histogram;
    for (const std::string& name : spellings(adapter, selector->name)) {
        if (!histogram) {
            uses_[name].push_back({rule, place, Part::Value});
            continue;
        }
        uses_[name + "_bucket"].push_back({rule, place, Part::Bucket});
        uses_[name + "_sum"].push_back({rule, place, Part::Sum});
        uses_[name + "_count"].push_back({rule, place, Part::Count});
    }
    operands_.push_back({*std::move(selector), of_rule});
    return place;
}

const std::vector<CanonicalPlan::Use>* CanonicalPlan::uses(std::string_view own_name) const {
    const auto found = uses_.find(without_total(own_name));
    return found == uses_.end() ? nullptr : &found->second;
}

}  // namespace stoker::collect
