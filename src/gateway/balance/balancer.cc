#include "gateway/balance/balancer.h"

#include <algorithm>
#include <cmath>

namespace stoker::gateway {
namespace {

constexpr double kFirstOutput = 200;  // Expected of an answer as long as none was seen.
constexpr double kUsualGain = 0.02;   // Of one request in what is usual.
// 32 KiB of prompt, about 8000 tokens: a pick costs about 0.15 us a block. Prompts that agree so far but not further
// are too rare to pay for on every long one; what comes after counts as not cached, for all replicas alike.
constexpr std::size_t kMostBlocks = 128;

void follow(std::atomic<double>& usual, double value) {
    const double before = usual.load(std::memory_order_relaxed);
    usual.store(before <= 0 ? value : before + kUsualGain * (value - before), std::memory_order_relaxed);
}

std::size_t round_up(std::size_t count, std::size_t step) {
    return (count + step - 1) / step * step;
}

// Replicas may come and go without the table being made anew.
constexpr std::size_t kSlotStep = 8;

}  // namespace

// One request's facts and views; per thread, so that nothing is allocated.
struct Balancer::Prepared {
    std::vector<PromptHash> hashes;
    std::span<const PromptHash> blocks;
    std::vector<std::uint32_t> matched;
    std::vector<TargetView> views;
    PickFacts facts;
};

Balancer::Balancer(const BalanceOptions& options, std::span<const std::string> ids)
    : options_(options),
      ids_(ids.begin(), ids.end()),
      policy_(BalancePolicy::create(options)),
      usual_output_(kFirstOutput) {
    for (const std::string& id : ids_) keys_.push_back(stable_hash(id));
}

std::shared_ptr<Balancer> Balancer::create(const BalanceOptions& options, std::span<const std::string> ids,
                                           const std::shared_ptr<Balancer>& before) {
    std::shared_ptr<Balancer> made(new Balancer(options, ids));
    if (before) {
        made->usual_output_ = before->usual_output_.load();
        made->usual_prompt_ = before->usual_prompt_.load();
        made->turn_ = before->turn_.load();
    }
    if (!made->policy_->wants_prefix()) return made;
    const bool same = before && before->index_ && before->index_->slots() >= ids.size() &&
                      before->options_.prefix_memory_bytes == options.prefix_memory_bytes;
    made->index_ = same ? before->index_
                        : std::make_shared<PrefixIndex>(options.prefix_memory_bytes,
                                                        round_up(std::max<std::size_t>(ids.size(), 1), kSlotStep));
    std::vector<bool> taken(made->index_->slots(), false);
    constexpr std::size_t kNone = ~std::size_t{0};
    made->slots_.assign(ids.size(), kNone);
    for (std::size_t i = 0; same && i < ids.size(); ++i) {
        const auto found = std::find(before->ids_.begin(), before->ids_.end(), ids[i]);
        if (found == before->ids_.end()) continue;
        made->slots_[i] = before->slots_[static_cast<std::size_t>(found - before->ids_.begin())];
        taken[made->slots_[i]] = true;
    }
    for (std::size_t& slot : made->slots_) {
        if (slot != kNone) continue;
        slot = static_cast<std::size_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
        taken[slot] = true;
        made->index_->forget(slot);
        made->index_->set_capacity(slot, static_cast<std::uint32_t>(options.cache_tokens / kPromptBlockTokens));
    }
    return made;
}

void Balancer::prepare(std::span<const BalanceTarget> targets, const BalanceRequest& request, std::uint64_t turn,
                       Prepared& prepared) const {
    PickFacts& facts = prepared.facts;
    const auto by_length = estimated_tokens(request.prompt.size());
    facts.turn = turn;
    facts.session = request.session.empty() ? 0 : stable_hash(request.session) | 1;
    facts.prompt_tokens = request.prompt_tokens > 0 ? request.prompt_tokens : by_length;
    facts.output_tokens = std::llround(usual_output_.load(std::memory_order_relaxed));
    if (request.max_tokens > 0) facts.output_tokens = std::min(facts.output_tokens, request.max_tokens);
    facts.usual_prompt_tokens = usual_prompt_.load(std::memory_order_relaxed);

    prepared.blocks = {};
    if (index_) {
        prepared.blocks = request.blocks;
        if (request.blocks.empty()) {
            hash_prompt(request.prompt, stable_hash(request.model), kMostBlocks, prepared.hashes);
            prepared.blocks = prepared.hashes;
        }
        prepared.matched.resize(index_->slots());
        index_->match(prepared.blocks, prepared.matched);
    }
    prepared.views.resize(targets.size());
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const ReplicaLoad& load = *targets[i].load;
        TargetView& view = prepared.views[i];
        view.key = keys_[i];
        view.eligible = targets[i].eligible;
        view.weight = load.weight();
        view.requests = load.requests();
        view.tokens = load.tokens();
        view.prompt_work = load.prompt_work();
        view.latency_seconds =
            request.stream ? load.first_token_seconds(request.now) : load.answer_seconds(request.now);
        view.pace = load.pace(request.now);
        view.engine = load.engine();
        view.fresh = freshness(view.engine, request.now, options_.stale_after);
        view.adapter = request.adapter.empty() ? AdapterHeat::Unknown : load.adapter_heat(request.adapter);
        view.prefix_tokens = 0;
        if (!index_) continue;
        const std::size_t slot = slots_[i];
        view.prefix_tokens = std::min(prepared.matched[slot] * kPromptBlockTokens, facts.prompt_tokens);
        if (view.engine.kv_tokens > 0) {
            index_->set_capacity(slot, static_cast<std::uint32_t>(view.engine.kv_tokens / kPromptBlockTokens));
        }
    }
}

LoadEstimate Balancer::estimate(const Prepared& prepared, std::size_t target) const {
    const PickFacts& facts = prepared.facts;
    LoadEstimate made{facts.prompt_tokens, facts.prompt_tokens - prepared.views[target].prefix_tokens,
                      facts.output_tokens, 0};
    for (const TargetView& view : prepared.views) made.known_tokens = std::max(made.known_tokens, view.prefix_tokens);
    return made;
}

std::optional<Pick> Balancer::pick(std::span<const BalanceTarget> targets, const BalanceRequest& request) {
    thread_local Prepared prepared;
    prepare(targets, request, turn_.fetch_add(1, std::memory_order_relaxed), prepared);
    const auto choice = policy_->pick(prepared.views, prepared.facts);
    if (!choice) return {};
    follow(usual_prompt_, static_cast<double>(prepared.facts.prompt_tokens));
    if (index_) index_->insert(prepared.blocks, slots_[choice->target]);
    return Pick{choice->target, choice->reason, estimate(prepared, choice->target)};
}

std::optional<Pick> Balancer::explain(std::span<const BalanceTarget> targets, const BalanceRequest& request,
                                      std::vector<PickInputs>& inputs) const {
    Prepared prepared;
    prepare(targets, request, turn_.load(std::memory_order_relaxed), prepared);
    std::vector<double> scores(targets.size());
    policy_->score(prepared.views, prepared.facts, scores);
    inputs.clear();
    for (std::size_t i = 0; i < targets.size(); ++i) inputs.push_back({prepared.views[i], scores[i]});
    const auto choice = policy_->pick(prepared.views, prepared.facts);
    if (!choice) return {};
    return Pick{choice->target, choice->reason, estimate(prepared, choice->target)};
}

void Balancer::note_answer(std::int64_t completion_tokens) {
    if (completion_tokens > 0) follow(usual_output_, static_cast<double>(completion_tokens));
}

void Balancer::forget(std::size_t target) {
    if (index_) index_->forget(slots_[target]);
}

}  // namespace stoker::gateway
