#include "gateway/route/release.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "gateway/metrics_names.h"

namespace stoker::gateway {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kMostChanges = 20;

json view_json(const CanarySample& sample) {
    const ArmView arm = view(sample);
    return {{"requests", arm.requests()},
            {"failed", arm.failed},
            {"ttft_p95_seconds", arm.first_token_p95},
            {"duration_p95_seconds", arm.duration_p95}};
}

std::string text_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

Release::Release(metrics::Registry& registry)
    : percent_(
          registry.gauge(names::kCanaryPercent, "Share of a canary's requests that its candidate gets.", {"canary"})),
      changes_(registry.counter(names::kCanaryChanges, "Changes of a canary's step or phase.", {"canary", "event"})) {}

void Release::restore(std::string_view kept, Save save, Announce announce) {
    save_ = std::move(save);
    announce_ = std::move(announce);
    const json document = json::parse(kept, nullptr, false);
    if (!document.is_object() || number_of(document, "v") != kVersion) return;
    for (const json& one : document.value("switches", json::array())) {
        if (!one.is_object()) continue;
        switches_[text_of(one, "alias")] = {text_of(one, "to"), text_of(one, "configured"),
                                            from_millis(number_of(one, "at_ms"))};
    }
    for (const json& one : document.value("canaries", json::array())) {
        const auto phase = one.is_object() ? parse_canary_phase(text_of(one, "phase")) : std::nullopt;
        if (!phase) continue;
        const auto step = static_cast<std::size_t>(std::max<std::int64_t>(number_of(one, "step"), 0));
        kept_[text_of(one, "name")] = {{*phase, step, from_millis(number_of(one, "since_ms")), text_of(one, "reason")},
                                       text_of(one, "control"),
                                       text_of(one, "candidate")};
    }
    for (const json& one : document.value("changes", json::array())) {
        auto event = release_event_from(one);
        if (event && history_.size() < kMostChanges) history_.push_back(*std::move(event));
    }
}

void Release::tell(ReleaseEvent event) {
    history_.push_front(event);
    if (history_.size() > kMostChanges) history_.pop_back();
    keep();
    if (announce_) announce_(event);
}

void Release::keep() const {
    if (!save_) return;
    json document = {
        {"v", kVersion}, {"switches", json::array()}, {"canaries", json::array()}, {"changes", json::array()}};
    for (const ReleaseEvent& event : history_) document["changes"].push_back(gateway::to_json(event));
    for (const auto& [alias, one] : switches_) {
        document["switches"].push_back(
            {{"alias", alias}, {"to", one.to}, {"configured", one.configured}, {"at_ms", to_millis(one.at)}});
    }
    for (const auto& [name, run] : runs_) {
        const CanaryState& state = run.canary.state();
        document["canaries"].push_back({{"name", name},
                                        {"control", run.control},
                                        {"candidate", run.candidate},
                                        {"phase", to_string(state.phase)},
                                        {"step", state.step},
                                        {"since_ms", to_millis(state.since)},
                                        {"reason", state.reason}});
    }
    save_(document.dump());
}

RoutingOptions Release::in_effect(RoutingOptions configured, Timestamp now) {
    configured_ = configured;
    bool changed = false;
    for (AliasOptions& alias : configured.aliases) {
        const auto found = switches_.find(alias.name);
        if (found == switches_.end()) continue;
        if (found->second.configured == alias.to) {
            alias.to = found->second.to;
        } else {
            const std::string before = found->second.to;
            switches_.erase(found);
            tell({.at = now,
                  .kind = "alias_reset",
                  .name = alias.name,
                  .from = before,
                  .to = alias.to,
                  .by = "configuration",
                  .reason = "the configuration names another destination"});
        }
    }
    std::map<std::string, Run> runs;
    CanaryBook book;
    for (const CanaryOptions& options : configured.canaries) {
        CanaryState state{.since = now};
        std::shared_ptr<CanaryArms> arms;
        const auto before = runs_.find(options.name);
        const auto kept = kept_.find(options.name);
        if (before != runs_.end() && before->second.control == options.control &&
            before->second.candidate == options.candidate) {
            if (before->second.canary.options() == options) {  // Goes on as if nothing had been reloaded.
                book.emplace(options.name, before->second.arms);
                runs.emplace(options.name, std::move(before->second));
                continue;
            }
            state = before->second.canary.state();
            arms = before->second.arms;
        } else if (before == runs_.end() && kept != kept_.end() && kept->second.control == options.control &&
                   kept->second.candidate == options.candidate) {
            state = kept->second.state;
            // What was counted is lost, so the step is seen through from its beginning.
            if (state.phase == CanaryPhase::Observing) state.since = now;
        }
        state.step = std::min(state.step, options.steps.size() - 1);
        if (!arms) arms = std::make_shared<CanaryArms>();
        Run run{Canary(options, std::move(state)), arms, options.control, options.candidate};
        arms->candidate_percent = run.canary.candidate_percent();
        percent_.with({options.name}).set(run.canary.candidate_percent());
        book.emplace(options.name, std::move(arms));
        runs.emplace(options.name, std::move(run));
        changed = true;
    }
    for (const auto& [name, run] : runs_) {
        if (!runs.contains(name)) percent_.remove({name});
    }
    runs_ = std::move(runs);
    book_ = std::move(book);
    kept_.clear();
    if (changed) keep();
    return configured;
}

Result<Unit> Release::switch_alias(const std::string& name, const std::string& to,
                                   const std::function<bool(const std::string&)>& knows, const ReleaseOrder& order,
                                   Timestamp now) {
    const auto alias = std::find_if(configured_.aliases.begin(), configured_.aliases.end(),
                                    [&](const AliasOptions& one) { return one.name == name; });
    if (alias == configured_.aliases.end()) {
        std::vector<std::string> names;
        for (const AliasOptions& one : configured_.aliases) names.push_back(one.name);
        const auto nearest = nearest_name(name, names);
        return Error{Errc::NotFound, "there is no alias '" + name + "'" +
                                         (nearest ? "; did you mean '" + *nearest + "'?"
                                                  : "; the configuration has " + join(names, ", "))};
    }
    const std::string target = to.empty() ? alias->to : to;
    if (!knows(target))
        return Error{Errc::InvalidArgument, "there is no model, pool, split or canary '" + target + "'"};
    std::vector<AliasOptions> after = configured_.aliases;
    for (AliasOptions& one : after) {
        const auto switched = switches_.find(one.name);
        if (switched != switches_.end()) one.to = switched->second.to;
        if (one.name == name) one.to = target;
    }
    TRY_UNIT(follow_aliases(after, name));
    const auto switched_before = switches_.find(name);
    const std::string before = switched_before == switches_.end() ? alias->to : switched_before->second.to;
    if (to.empty()) {
        switches_.erase(name);
    } else {
        switches_[name] = {target, alias->to, now};
    }
    log::info("alias switched", {{"alias", name}, {"to", target}, {"by", order.by}, {"reason", order.reason}});
    tell({.at = now,
          .kind = to.empty() ? "alias_reset" : "alias_switched",
          .name = name,
          .from = before,
          .to = target,
          .by = order.by,
          .reason = order.reason});
    return Unit{};
}

Result<Unit> Release::steer(const std::string& canary, std::string_view action, const ReleaseOrder& order,
                            Timestamp now) {
    const std::string& reason = order.reason;
    const auto found = runs_.find(canary);
    if (found == runs_.end()) return Error{Errc::NotFound, "there is no canary '" + canary + "'"};
    Canary& machine = found->second.canary;
    if (action == "promote") {
        TRY_UNIT(machine.promote(reason, now));
    } else if (action == "rollback") {
        TRY_UNIT(machine.roll_back(reason, now));
    } else if (action == "pause") {
        TRY_UNIT(machine.pause(reason, now));
    } else if (action == "resume") {
        TRY_UNIT(machine.resume(reason, now));
    } else if (action == "restart") {
        machine.restart(reason, now);
    } else {
        return Error{Errc::InvalidArgument, "an action is one of promote, rollback, pause, resume, restart, not '" +
                                                std::string(action) + "'"};
    }
    took_a_step(found->second, action, order.by, now);
    return Unit{};
}

void Release::tick(Timestamp now) {
    for (auto& [name, run] : runs_) {
        if (run.canary.tick(run.arms->control, run.arms->candidate, now)) took_a_step(run, "judged", "stoker", now);
    }
}

void Release::took_a_step(Run& run, std::string_view what, std::string by, Timestamp now) {
    const Canary& canary = run.canary;
    const std::string& name = canary.options().name;
    run.arms->candidate_percent = canary.candidate_percent();
    run.arms->control.reset();
    run.arms->candidate.reset();
    percent_.with({name}).set(canary.candidate_percent());
    changes_.with({name, std::string(to_string(canary.state().phase))}).add();
    const bool bad = canary.state().phase == CanaryPhase::RolledBack;
    log::write(bad ? log::Level::Warn : log::Level::Info, "canary " + std::string(to_string(canary.state().phase)),
               {{"canary", name},
                {"how", what},
                {"by", by},
                {"candidate", canary.options().candidate},
                {"percent", canary.candidate_percent()},
                {"reason", canary.state().reason}});
    const bool onwards = canary.state().phase == CanaryPhase::Observing;
    std::string kind = onwards ? "canary_stepped" : "canary_" + std::string(to_string(canary.state().phase));
    if (what == "resume") kind = "canary_resumed";
    if (what == "restart") kind = "canary_restarted";
    tell({.at = now,
          .kind = std::move(kind),
          .name = name,
          .from = run.control,
          .to = run.candidate,
          .percent = canary.candidate_percent(),
          .by = std::move(by),
          .reason = canary.state().reason});
}

std::string Release::to_json() const {
    json document = {{"aliases", json::array()}, {"splits", json::array()}, {"canaries", json::array()}};
    for (const AliasOptions& alias : configured_.aliases) {
        json one = {{"name", alias.name}, {"to", alias.to}, {"configured", alias.to}};
        const auto switched = switches_.find(alias.name);
        if (switched != switches_.end()) {
            one["to"] = switched->second.to;
            one["switched_ms"] = to_millis(switched->second.at);
        }
        document["aliases"].push_back(std::move(one));
    }
    for (const SplitOptions& split : configured_.splits) {
        json arms = json::array();
        for (const SplitArmOptions& arm : split.arms) arms.push_back({{"to", arm.to}, {"weight", arm.weight}});
        document["splits"].push_back({{"name", split.name}, {"by", to_string(split.by)}, {"arms", std::move(arms)}});
    }
    for (const auto& [name, run] : runs_) {
        const Canary& canary = run.canary;
        const CanaryState& state = canary.state();
        document["canaries"].push_back({{"name", name},
                                        {"phase", to_string(state.phase)},
                                        {"step", state.step},
                                        {"steps", canary.options().steps},
                                        {"candidate_percent", canary.candidate_percent()},
                                        {"since_ms", to_millis(state.since)},
                                        {"reason", state.reason},
                                        {"judgement", canary.last_judgement().reason},
                                        {"control", view_json(run.arms->control)},
                                        {"candidate", view_json(run.arms->candidate)}});
        document["canaries"].back()["control"]["model"] = run.control;
        document["canaries"].back()["candidate"]["model"] = run.candidate;
    }
    document["changes"] = json::array();
    for (const ReleaseEvent& event : history_) document["changes"].push_back(gateway::to_json(event));
    return document.dump();
}

}  // namespace stoker::gateway
