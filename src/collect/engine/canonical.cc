#include "collect/engine/canonical.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"

namespace stoker::collect {
namespace {

const std::string* find_label(const SampleBatch::Pairs& labels, std::string_view name) {
    const auto found =
        std::find_if(labels.begin(), labels.end(), [&](const auto& label) { return label.first == name; });
    return found == labels.end() ? nullptr : &found->second;
}

bool selected(const Selector& selector, const SampleBatch::Pairs& labels) {
    return std::all_of(selector.labels.begin(), selector.labels.end(), [&](const auto& wanted) {
        const std::string* value = find_label(labels, wanted.first);
        return value != nullptr && *value == wanted.second;
    });
}

// What a series says in its labels, for the rules that ask for that.
std::optional<double> value_in_labels(const MetricRule& rule, const SampleBatch::Pairs& labels) {
    if (!rule.count.empty()) {
        const std::string* list = find_label(labels, rule.count);
        if (list == nullptr) return std::nullopt;
        const auto names = split(*list, ',');
        return static_cast<double>(
            std::count_if(names.begin(), names.end(), [](std::string_view name) { return !trim(name).empty(); }));
    }
    double product = 1;
    for (const std::string& name : rule.labels) {
        const std::string* text = find_label(labels, name);
        const auto number = text == nullptr ? std::nullopt : parse_number(*text);
        if (!number || !std::isfinite(*number)) return std::nullopt;
        product *= *number;
    }
    return product;
}

bool is_part_of_a_total(const Adapter& adapter, const SampleBatch::Pairs& labels) {
    return std::any_of(adapter.totals.begin(), adapter.totals.end(), [&](const std::string& name) {
        const std::string* value = find_label(labels, name);
        return value != nullptr && !value->empty();
    });
}

std::string scaled_bound(const std::string& le, double scale) {
    const auto bound = parse_number(le);
    return bound ? format_number(*bound * scale) : le;
}

}  // namespace

Canonical::Canonical(std::shared_ptr<const CanonicalPlan> plan)
    : plan_(std::move(plan)), operands_(plan_->operands().size()) {}

void Canonical::add(std::string_view name, const SampleBatch::Pairs& labels, double value) {
    const auto* uses = plan_->uses(name);
    if (uses == nullptr || std::isnan(value)) return;
    for (const CanonicalPlan::Use& use : *uses) add_to(use, labels, value);
}

void Canonical::add_to(const CanonicalPlan::Use& use, const SampleBatch::Pairs& labels, double value) {
    const CanonicalPlan::Operand& planned = plan_->operands()[use.operand];
    if (!selected(planned.selector, labels)) return;
    const CanonicalPlan::Rule& rule = plan_->rules()[use.rule];
    const MetricRule& metric = *rule.rule;
    const Adapter& adapter = *rule.adapter;
    if (is_part_of_a_total(adapter, labels)) return;
    Operand& operand = operands_[use.operand];
    if (planned.of_rule && metric.newest) {
        if (!operand.groups.empty() && value < operand.newest) return;
        if (value > operand.newest) operand.groups.clear();
        operand.newest = value;
    }
    if (planned.of_rule && (!metric.labels.empty() || !metric.count.empty())) {
        const auto said = value_in_labels(metric, labels);
        if (!said) return;
        value = *said;
    }
    Group group;
    group.part = use.part;
    SampleBatch::Pairs apart;
    for (const auto& [name, text] : labels) {
        if (name == adapter.model_label) {
            group.model = text;
        } else if (name == "le" && use.part == Part::Bucket) {
            group.le = text;
        } else if (const auto kept = metric.keep.find(name); planned.of_rule && kept != metric.keep.end()) {
            group.kept.emplace_back(kept->second, text);
        } else if (std::find(adapter.ranks.begin(), adapter.ranks.end(), name) == adapter.ranks.end() &&
                   !(metric.newest && planned.of_rule)) {
            apart.emplace_back(name, text);
        }
    }
    std::sort(group.kept.begin(), group.kept.end());
    std::sort(apart.begin(), apart.end());
    std::string engine;
    for (const auto& [name, text] : apart) engine.append(name).append(1, '\0').append(text).append(1, '\0');
    auto [part, fresh] = operand.groups[std::move(group)].try_emplace(std::move(engine), value);
    if (!fresh) part->second = std::max(part->second, value);
}

double Canonical::combined(const CanonicalPlan::Rule& rule, const Parts& parts) const {
    double total = 0;
    bool first = true;
    for (const auto& [engine, value] : parts) {
        const bool largest = rule.kind == CanonicalName::Kind::Fullest;
        total = first ? value : largest ? std::max(total, value) : total + value;
        first = false;
    }
    return total;
}

const double* Canonical::factor(std::size_t operand, const std::string& model, double& storage) const {
    const auto& groups = operands_[operand].groups;
    auto found = groups.find(Group{Part::Value, model, {}, {}});
    if (found == groups.end()) found = groups.find(Group{});
    if (found == groups.end()) return nullptr;
    // The largest: a factor is a property (tokens in a block) that all engines behind one address share.
    storage = 0;
    for (const auto& [engine, value] : found->second) storage = std::max(storage, value);
    return &storage;
}

void Canonical::evaluate(const CanonicalPlan::Rule& rule,
                         std::map<std::pair<std::string, SampleBatch::Pairs>, Value>& out) const {
    const auto has = [this](std::size_t operand) { return !operands_[operand].groups.empty(); };
    const auto from = std::find_if(rule.from.begin(), rule.from.end(), has);
    if (from == rule.from.end()) return;
    const MetricRule& metric = *rule.rule;
    for (const auto& [group, parts] : operands_[*from].groups) {
        double value = combined(rule, parts);
        for (const std::size_t plus : rule.plus) {
            const auto other = operands_[plus].groups.find(group);
            if (other != operands_[plus].groups.end()) value += combined(rule, other->second);
        }
        double number = 0;
        if (rule.times != CanonicalPlan::kNone) {
            if (factor(rule.times, group.model, number) == nullptr) continue;
            value *= number;
        }
        if (rule.divide_by != CanonicalPlan::kNone) {
            if (factor(rule.divide_by, group.model, number) == nullptr || number == 0) continue;
            value /= number;
        }
        Value made{metric.name, group.kept, value, plan_->operands()[*from].selector.name};
        if (group.part == Part::Bucket) {
            made.name += "_bucket";
            made.labels.emplace_back("le", metric.scale == 1 ? group.le : scaled_bound(group.le, metric.scale));
        } else if (group.part == Part::Count) {
            made.name += "_count";
        } else {
            if (group.part == Part::Sum) made.name += "_sum";
            made.value *= metric.scale;
        }
        if (!group.model.empty()) made.labels.emplace_back("model", group.model);
        for (const auto& label : metric.set) made.labels.push_back(label);
        made.labels.emplace_back("source", std::string(metric.source_or_default()));
        std::sort(made.labels.begin(), made.labels.end());
        // Two adapters may know a page's names where the kind is unknown: the first counts.
        std::pair key{made.name, made.labels};
        out.try_emplace(std::move(key), std::move(made));
    }
}

std::vector<Canonical::Value> Canonical::values() const {
    std::map<std::pair<std::string, SampleBatch::Pairs>, Value> all;
    for (const CanonicalPlan::Rule& rule : plan_->rules()) evaluate(rule, all);
    std::vector<Value> out;
    out.reserve(all.size());
    for (auto& [key, value] : all) out.push_back(std::move(value));
    return out;
}

}  // namespace stoker::collect
