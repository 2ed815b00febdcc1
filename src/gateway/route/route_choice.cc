#include "gateway/route/route_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace stoker::gateway {
namespace {

constexpr int kMostAliases = 16;  // Circles are refused when routes are made; this is for what nobody thought of.
constexpr std::string_view kSessionHeader = "x-session-id";

}  // namespace

Routing::Routing(RoutingOptions options, const CanaryBook& canaries, const Series& series)
    : options_(std::move(options)) {
    for (const RuleOptions& rule : options_.rules) rule_taken_.push_back(series("rule", rule.name, rule.to));
    for (const AliasOptions& alias : options_.aliases) {
        aliases_.emplace(alias.name, Alias{alias.to, series("alias", alias.name, alias.to)});
    }
    const auto header_of = [](StickyBy by, const std::string& header) {
        return by == StickyBy::Session && header.empty() ? std::string(kSessionHeader) : header;
    };
    for (const SplitOptions& split : options_.splits) {
        Fork fork{split.name, split.by, header_of(split.by, split.header), {}, {}};
        for (const SplitArmOptions& arm : split.arms) {
            fork.arms.push_back({arm.to, arm.weight, series("split", split.name, arm.to), nullptr});
        }
        forks_.emplace(split.name, std::move(fork));
    }
    for (const CanaryOptions& canary : options_.canaries) {
        const auto arms = canaries.find(canary.name);
        if (arms == canaries.end()) continue;
        Fork fork{canary.name, canary.by, header_of(canary.by, canary.header), {}, arms->second};
        fork.arms.push_back({canary.control, 0, series("canary", canary.name, canary.control), &arms->second->control});
        fork.arms.push_back(
            {canary.candidate, 0, series("canary", canary.name, canary.candidate), &arms->second->candidate});
        forks_.emplace(canary.name, std::move(fork));
    }
}

bool Routing::knows(std::string_view name) const {
    return aliases_.contains(name) || forks_.contains(name);
}

std::string_view Routing::model_of(std::string_view name) const {
    for (int i = 0; i < kMostAliases; ++i) {
        const auto alias = aliases_.find(name);
        if (alias == aliases_.end()) break;
        name = alias->second.to;
    }
    return name;
}

std::vector<std::string> Routing::names() const {
    std::vector<std::string> names;
    for (const auto& [name, alias] : aliases_) names.push_back(name);
    for (const auto& [name, fork] : forks_) names.push_back(name);
    return names;
}

std::string_view Routing::by_rules(const RouteQuestion& question, RouteChoice& choice,
                                   std::vector<std::string>* why) const {
    for (std::size_t i = 0; i < options_.rules.size(); ++i) {
        const RuleOptions& rule = options_.rules[i];
        const bool matches = mismatch(rule, question) == RuleField::None;
        if (why != nullptr) {
            why->push_back(fmt::format("rule {}: {}{}", rule.name, explain_rule(rule, question),
                                       matches ? ", so the request goes to " + rule.to : ""));
        }
        if (!matches) continue;
        if (why == nullptr) rule_taken_[i]->add();
        choice.rule = rule.name;
        choice.led = true;
        return rule.to;
    }
    return question.model;
}

const Routing::Arm& Routing::draw(const Fork& fork, const RouteQuestion& question, double point,
                                  std::vector<std::string>* why) const {
    std::vector<WeightedArm> arms;
    arms.reserve(fork.arms.size());
    for (const Arm& arm : fork.arms) arms.push_back({arm.to, arm.weight});
    if (fork.canary) {
        const double percent = fork.canary->candidate_percent.load(std::memory_order_relaxed);
        arms[0].weight = 100 - percent;
        arms[1].weight = percent;
    }
    const std::string_view key = sticky_key(fork.by, fork.header, question);
    const std::size_t drawn = key.empty() ? draw_at(arms, point) : draw_sticky(fork.name, arms, key);
    if (why != nullptr) {
        std::vector<std::string> weights;
        for (const WeightedArm& arm : arms) weights.push_back(fmt::format("{} {:g}", arm.name, arm.weight));
        std::string by = "drawn at random";
        if (!key.empty()) by = fmt::format("by {} '{}'", to_string(fork.by), key.substr(0, 80));
        if (key.empty() && fork.by != StickyBy::Nothing) {
            by += fmt::format(", as the request has no {}", to_string(fork.by));
        }
        why->push_back(fmt::format("{} {} ({}): {}, so the request goes to {}", fork.canary ? "canary" : "split",
                                   fork.name, join(weights, ", "), by, fork.arms[drawn].to));
    }
    return fork.arms[drawn];
}

RouteChoice Routing::choose(const RouteQuestion& question, double point, std::vector<std::string>* why) const {
    RouteChoice choice;
    std::string_view name = by_rules(question, choice, why);
    for (int i = 0; i < kMostAliases; ++i) {
        const auto alias = aliases_.find(name);
        if (alias != aliases_.end()) {
            if (why != nullptr) why->push_back(fmt::format("alias {}: stands for {}", name, alias->second.to));
            if (why == nullptr) alias->second.taken->add();
            name = alias->second.to;
            choice.led = true;
            continue;
        }
        const auto fork = choice.split.empty() ? forks_.find(name) : forks_.end();
        if (fork == forks_.end()) break;
        const Arm& arm = draw(fork->second, question, point, why);
        if (why == nullptr) arm.taken->add();
        choice.split = fork->second.name;
        choice.arm = arm.to;
        choice.led = true;
        choice.sample = arm.sample;
        name = arm.to;
    }
    choice.model = name;
    return choice;
}

Result<std::string> follow_aliases(const std::vector<AliasOptions>& aliases, const std::string& name) {
    std::vector<std::string> way{name};
    while (true) {
        const auto next = std::find_if(aliases.begin(), aliases.end(),
                                       [&](const AliasOptions& alias) { return alias.name == way.back(); });
        if (next == aliases.end()) return way.back();
        const bool seen = std::find(way.begin(), way.end(), next->to) != way.end();
        way.push_back(next->to);
        if (seen) return Error{Errc::InvalidArgument, "aliases go in a circle: " + join(way, " -> ")};
    }
}

}  // namespace stoker::gateway
