#include "gateway/balance/balance.h"

#include <algorithm>

#include "gateway/route/routes.h"

namespace stoker::gateway {
namespace {

// From the best to the worst; a target of a worse class is chosen only if there is none of a better one.
enum class Standing : std::uint8_t { Ready, LacksAdapter, Limited, Resting, LastResort, Excluded };

Standing standing_of(const Target& target, const PickRequest& request, std::size_t index, bool adapter) {
    const Replica& replica = *target.replica;
    if (std::find(request.tried.begin(), request.tried.end(), index) != request.tried.end()) return Standing::Excluded;
    if (!request.adapter.empty() && !target.has_adapter(request.adapter)) return Standing::Excluded;
    if (!replica.serving() && !replica.trial_due(request.now)) {
        return replica.last_resort() ? Standing::LastResort : Standing::Excluded;
    }
    if (replica.resting(request.now)) return Standing::Resting;
    if (replica.limited(request.now)) return Standing::Limited;
    return adapter && !target.has_adapter(request.model) ? Standing::LacksAdapter : Standing::Ready;
}

// Whether the request names an adapter that some replica has: then it matters who has it.
bool names_adapter(const Pool& pool, std::string_view model) {
    return std::any_of(pool.targets.begin(), pool.targets.end(),
                       [model](const Target& target) { return target.has_adapter(model); });
}

// Fills `targets` and returns the standing of those that are eligible in it.
Standing choose_eligible(const Pool& pool, const PickRequest& request, std::vector<BalanceTarget>& targets) {
    thread_local std::vector<Standing> standings;
    standings.clear();
    targets.clear();
    const bool adapter = request.adapter.empty() && names_adapter(pool, request.model);
    Standing best = Standing::Excluded;
    for (std::size_t i = 0; i < pool.targets.size(); ++i) {
        const Replica& replica = *pool.targets[i].replica;
        standings.push_back(standing_of(pool.targets[i], request, i, adapter));
        best = std::min(best, standings.back());
        targets.push_back({&replica.load(), false});
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
        targets[i].eligible = best != Standing::Excluded && standings[i] == best;
    }
    return best;
}

BalanceRequest balance_request(const PickRequest& request) {
    BalanceRequest made;
    made.now = request.now;
    made.model = request.adapter.empty() ? request.model : request.adapter;
    made.adapter = request.adapter;
    made.prompt = request.prompt;
    made.max_tokens = request.max_tokens;
    made.session = request.session;
    made.stream = request.stream;
    return made;
}

std::string why_excluded(const Target& target, const PickRequest& request, std::size_t index) {
    const Replica& replica = *target.replica;
    if (!request.adapter.empty() && !target.has_adapter(request.adapter)) return "lacks_adapter";
    if (!replica.serving()) return std::string(to_string(replica.status().state));
    if (std::find(request.tried.begin(), request.tried.end(), index) != request.tried.end()) return "tried";
    if (replica.resting(request.now)) return "resting";
    return replica.limited(request.now) ? "limited" : "lacks_adapter";
}

}  // namespace

std::optional<Pick> pick_target(const Pool& pool, const PickRequest& request) {
    thread_local std::vector<BalanceTarget> targets;
    choose_eligible(pool, request, targets);
    const auto pick = pool.balancer->pick(targets, balance_request(request));
    if (!pick) return {};
    const PoolSeries& series = pool.series;
    series.picks[static_cast<std::size_t>(pick->reason)]->add();
    series.prefix_new->add(static_cast<double>(pick->estimate.new_tokens));
    const std::int64_t hit = pick->estimate.prompt_tokens - pick->estimate.new_tokens;
    if (hit > 0) series.prefix_hit->add(static_cast<double>(hit));
    return pick;
}

PickExplanation explain_pick(const Pool& pool, const PickRequest& request) {
    PickExplanation made;
    made.policy = pool.balancer->options().kind;
    std::vector<BalanceTarget> targets;
    choose_eligible(pool, request, targets);
    std::vector<PickInputs> inputs;
    made.pick = pool.balancer->explain(targets, balance_request(request), inputs);
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const Replica& replica = *pool.targets[i].replica;
        TargetExplanation& target = made.targets.emplace_back();
        target.replica = replica.id();
        if (!targets[i].eligible) target.excluded = why_excluded(pool.targets[i], request, i);
        target.chosen = made.pick && made.pick->target == i;
        target.has_adapter = pool.targets[i].has_adapter(request.adapter.empty() ? request.model : request.adapter);
        target.inputs = inputs[i];
        const EngineLoad& engine = inputs[i].view.engine;
        if (!engine.known()) continue;
        target.engine_age = std::chrono::duration_cast<Duration>(request.now - engine.at);
        target.foreign_requests = foreign_requests(engine);
    }
    return made;
}

}  // namespace stoker::gateway
